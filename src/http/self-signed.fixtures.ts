import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** A key and a certificate for `localhost`, good for one test: Node can read certificates but not make them. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, 'localhost'))));
  const validity = sequence(der(0x17, '250101000000Z'), der(0x17, '491231235959Z'));
  const altNames = sequence(der(0x82, 'localhost'));
  const extensions = der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, der(0x04, altNames))));
  const version3 = der(0xa0, der(0x02, [2]));
  const toSign = sequence(version3, der(0x02, [1]), ED25519, name, validity, name, publicKey, extensions);
  const signature = der(0x03, [0], sign(null, toSign, privateKey));
  const cert = sequence(toSign, ED25519, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
  };
}

/** One value of https://www.itu.int/rec/T-REC-X.690, shorter than 64 KiB. */
function der(tag: number, ...content: (string | Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map(part => Buffer.from(part as string)));
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function sequence(...items: Uint8Array[]): Buffer {
  return der(0x30, ...items);
}

const COMMON_NAME = der(0x06, [0x55, 4, 3]);
const SUBJECT_ALT_NAME = der(0x06, [0x55, 0x1d, 0x11]);
const ED25519 = sequence(der(0x06, [0x2b, 0x65, 0x70]));
