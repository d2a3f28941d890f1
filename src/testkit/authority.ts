import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

// Node can read certificates but not make them.

/** A key and a certificate, both in PEM form. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority that is trusted by those who are given its certificate. */
export interface Authority {
  /** Its certificate, in PEM form. */
  readonly cert: string;
  /** Returns a key and a certificate for a server that has these names or IPv4 addresses, or for a client of the first name. */
  issue(...names: readonly string[]): KeyPair;
}

/** Returns a new certificate authority. */
export function createAuthority(name = 'Testkit Authority'): Authority {
  const { privateKey } = generateKeyPairSync('ed25519');
  const issuer = { name, privateKey };
  return {
    cert: certificate({ name, privateKey, issuer, extension: IS_AUTHORITY }),
    issue(...names) {
      const { privateKey: key } = generateKeyPairSync('ed25519');
      const [first = 'testkit'] = names;
      return { key: pemOf(key), cert: certificate({ name: first, privateKey: key, issuer, names }) };
    },
  };
}

/** Returns a key and a certificate for `localhost` that no authority vouches for. */
export function selfSigned(): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const name = 'localhost';
  const cert = certificate({ name, privateKey, issuer: { name, privateKey }, names: [name] });
  return { key: pemOf(privateKey), cert };
}

interface Holder {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function certificate(
  holder: Holder & {
    readonly issuer: Holder;
    readonly names?: readonly string[];
    readonly extension?: Buffer;
  },
): string {
  const { name, privateKey, issuer, names = [], extension } = holder;
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const validity = sequence(der(0x17, '250101000000Z'), der(0x17, '491231235959Z'));
  const altNames = sequence(...names.map(altName));
  const extensions = [
    ...(names.length === 0 ? [] : [sequence(SUBJECT_ALT_NAME, der(0x04, altNames))]),
    ...(extension === undefined ? [] : [extension]),
  ];
  const version3 = der(0xa0, der(0x02, [2]));
  const serial = der(0x02, [1, ...randomBytes(8)]);
  const toSign = sequence(
    ...[version3, serial, ED25519, distinguished(issuer.name), validity, distinguished(name), publicKey],
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, [0], sign(null, toSign, issuer.privateKey));
  const lines =
    sequence(toSign, ED25519, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function altName(name: string): Buffer {
  return isIP(name) === 4 ? der(0x87, name.split('.').map(Number)) : der(0x82, name);
}

function distinguished(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, name))));
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** One value of https://www.itu.int/rec/T-REC-X.690, shorter than 64 KiB. */
function der(tag: number, ...content: (string | Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map(part => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body)]), body]);
}

/** As short as it gets, which Go insists on. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 128) return [length];
  return length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
}

function sequence(...items: Uint8Array[]): Buffer {
  return der(0x30, ...items);
}

const COMMON_NAME = der(0x06, [0x55, 4, 3]);
const SUBJECT_ALT_NAME = der(0x06, [0x55, 0x1d, 0x11]);
const ED25519 = sequence(der(0x06, [0x2b, 0x65, 0x70]));
/** Basic constraints, critical: an authority. */
const IS_AUTHORITY = sequence(
  ...[der(0x06, [0x55, 0x1d, 0x13]), der(0x01, [0xff]), der(0x04, sequence(der(0x01, [0xff])))],
);
