import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { SigningError } from '../../core/errors.ts';
import { statementBytes } from '../statement.ts';
import { imageSignature } from '../statements/image-signature.ts';
import { fixtureSubject } from '../subject.fixtures.ts';
import { type TrustedSigner, verifyBundle } from '../verify-bundle.ts';
import { readPrivateKey, readPublicKey } from './key-material.ts';
import { keySigner, signDeterministically } from './key-signer.ts';

const PASSWORD = 'correct horse';
const payload = statementBytes(imageSignature(fixtureSubject()));

for (const [title, pair] of [
  ['ECDSA P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['Ed25519', () => generateKeyPairSync('ed25519')],
] as const) {
  test(`${title}: signed with the private key, verified with the public one, and no other`, async () => {
    const { privateKey, publicKey } = pair();
    const pem = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: PASSWORD,
    });
    const env = { KEY: String(pem), COSIGN_PASSWORD: PASSWORD };
    const signer = keySigner(await readPrivateKey({ reference: 'env://KEY', folder: '.', env }));
    const bundle = await signer.sign(payload);
    assert.ok(signer.isOwn(bundle));
    const trusted = (key: typeof publicKey): TrustedSigner => ({ kind: 'key', key, name: 'k' });
    const { statement } = verifyBundle(bundle, trusted(publicKey), 'b');
    assert.deepEqual(statementBytes(statement), payload);
    const other = pair();
    assert.throws(() => verifyBundle(bundle, trusted(other.publicKey), 'b'), { code: 'SIGNATURE_INVALID' });
    assert.ok(!keySigner(other.privateKey).isOwn(bundle));
  });
}

test('a model signature is the same each time, by RFC 6979, and verified by OpenSSL; Ed25519 makes none', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { signModel, isOwn } = keySigner(privateKey);
  const bundle = signModel?.(payload) ?? assert.fail();
  assert.ok(bundle.equals(keySigner(privateKey).signModel?.(payload) ?? assert.fail()));
  assert.ok(isOwn(bundle));
  assert.deepEqual(
    verifyBundle(bundle, { kind: 'key', key: publicKey, name: 'k' }, 'b').statement,
    JSON.parse(String(payload)),
  );
  assert.equal(keySigner(generateKeyPairSync('ed25519').privateKey).signModel, undefined);
  // https://www.rfc-editor.org/rfc/rfc6979#appendix-A.2.5
  const encoded = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');
  const jwk = {
    ...{ kty: 'EC', crv: 'P-256' },
    d: encoded('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'),
    x: encoded('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6'),
    y: encoded('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'),
  };
  const signature = signDeterministically(
    Buffer.from('sample'),
    createPrivateKey({ key: jwk, format: 'jwk' }),
  );
  const r = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716';
  const s = 'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8';
  assert.equal(signature.toString('hex'), `3046022100${r}022100${s}`);
});

test('a changed statement, or another payload type, is not what was signed', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bundle = JSON.parse(String(await keySigner(privateKey).sign(payload)));
  const trusted = { kind: 'key', key: publicKey, name: 'k' } as const;
  const changed = Buffer.from(String(payload).replace('cosign/sign', 'cosign/sigN')).toString('base64');
  for (const envelope of [
    { ...bundle.dsseEnvelope, payload: changed },
    { ...bundle.dsseEnvelope, payloadType: 'text/plain' },
    { ...bundle.dsseEnvelope, signatures: [] },
  ]) {
    const bytes = Buffer.from(JSON.stringify({ ...bundle, dsseEnvelope: envelope }));
    assert.throws(() => verifyBundle(bytes, trusted, 'b'), { code: 'SIGNATURE_INVALID' });
  }
  assert.throws(() => verifyBundle(Buffer.from('{}'), trusted, 'b'), { code: 'SIGNATURE_INVALID' });
});

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const plain = (key: ReturnType<typeof ec>) => String(key.export({ type: 'pkcs8', format: 'pem' }));
const locked = String(
  ec('P-256').export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD }),
);
const WRONG: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['no variable', {}, /env:\/\/KEY is not set/],
  ['a wrong password', { KEY: locked, COSIGN_PASSWORD: 'wrong secret' }, /cannot be read with this password/],
  ['no password', { KEY: locked }, /needs a password/],
  [
    'RSA',
    { KEY: plain(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) },
    /type RSA; expected/,
  ],
  ['another curve', { KEY: plain(ec('secp256k1')) }, /ECDSA on secp256k1; expected/],
  ["cosign's format", { KEY: '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx' }, /cosign's own format/],
  ['a public key', { KEY: '-----BEGIN PUBLIC KEY-----\nx' }, /is a public key/],
  ['rubbish', { KEY: 'planted-rubbish' }, /is not a private key/],
];

for (const [title, env, message] of WRONG) {
  test(`${title}: one clear message, and nothing of the key or password in it`, async () => {
    const place = { reference: 'env://KEY', folder: '.', env };
    const error: unknown = await readPrivateKey(place).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof SigningError && error.code === 'SIGNING_KEY');
    assert.match(error.message, message);
    assert.ok(error.remedy);
    const said = `${error.message} ${error.remedy} ${error.stack} ${JSON.stringify(error)}`;
    for (const secret of ['wrong secret', 'planted-rubbish', locked.split('\n')[1] as string])
      assert.ok(!said.includes(secret));
  });
}

test('a key file that is not there is a mistake of the call or the file', async () => {
  const place = { reference: 'none.pem', folder: '/nonexistent', env: {} };
  const expected = { code: 'USAGE', message: 'the key none.pem cannot be read: there is no such file' };
  await assert.rejects(readPrivateKey(place), expected);
  await assert.rejects(readPublicKey(place), expected);
});

test('a public key from a file, and a private one in its place', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-key-'));
  t.after(() => rm(folder, { recursive: true }));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(path.join(folder, 'pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(path.join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const read = (reference: string) => readPublicKey({ reference, folder, env: {} });
  assert.ok((await read('pub.pem')).equals(publicKey));
  await assert.rejects(read('key.pem'), /is a private key/);
  await assert.rejects(read('none.pem'), /cannot be read/);
});
