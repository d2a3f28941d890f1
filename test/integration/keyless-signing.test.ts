import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { createSigner } from '../../src/attest/create-signer.ts';
import { identityToken } from '../../src/attest/signers/identity-token.ts';
import { keylessSigner } from '../../src/attest/signers/keyless-signer.ts';
import { statementAbout, statementBytes } from '../../src/attest/statement.ts';
import { parseTrustedRoot, verifyBundle } from '../../src/attest/verify-bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { SigningError } from '../../src/core/errors.ts';
import { HttpClient } from '../../src/http/client.ts';
import { serve } from '../../src/http/loopback.fixtures.ts';
import { createAuthority } from '../../src/testkit/authority.ts';
import { ISSUER, identityTokenOf, type LocalSigstore, startSigstore } from '../support/sigstore.ts';
import { temporaryFolder } from '../support/tools.ts';

const IDENTITY = 'project_path:acme/models';
const payload = statementBytes(statementAbout(digestOf('x'), 'image', {}));

test('signed by the identity of a job, with one certificate for many, and verified offline by the trusted root', async () => {
  await using sigstore = await started();
  const signer = signerAt(sigstore);
  const [bundle] = await Promise.all([1, 2, 3].map(() => signer.sign(payload)));
  assert.deepEqual(sigstore.counts, { fulcio: 1, rekor: 3 });
  const root = parseTrustedRoot(sigstore.rootJson, 'root.json');
  const verify = (identity: string, issuer = ISSUER, trusted = root) =>
    verifyBundle(bundle as Buffer, { kind: 'identity', identity, issuer, root: trusted }, 'the signature');
  assert.deepEqual(statementBytes(verify(IDENTITY).statement), payload);
  verify('project_path:acme/*');
  for (const wrong of [
    'project_path:acme/model',
    'acme/models',
    'project_path:acme?models',
    'project_path:*x',
  ])
    assert.throws(() => verify(wrong), /signed by somebody else/);
  assert.throws(() => verify(IDENTITY, 'https://gitlab.other'), /signed by somebody else/);
  await using other = await started();
  assert.throws(() => verify(IDENTITY, ISSUER, other.root), { code: 'SIGNATURE_INVALID' });
});

test('an identity in models.yaml says whose signatures let a manifest be believed', async t => {
  await using sigstore = await started();
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'root.json'), sigstore.rootJson);
  const trust = { identity: IDENTITY, issuer: ISSUER, trustedRoot: 'root.json' };
  const services = { fulcio: null, rekor: null, timestampAuthority: null };
  const options = { configFile: path.join(folder, 'models.yaml'), env: {}, http: new HttpClient() };
  const plain = { key: null, githubAttestations: false };
  const { trusted } = await createSigner({ ...plain, keyless: { ...services, trust } }, options);
  const bundle = await signerAt(sigstore).sign(payload);
  assert.ok(trusted !== undefined && verifyBundle(bundle, trusted, 'the signature'));
  const none = await createSigner({ ...plain, keyless: { ...services, trust: null } }, options);
  assert.equal(none.trusted, undefined);
});

test('with an identity in models.yaml, only its bundles are our own; without one, any with a valid certificate', async () => {
  await using sigstore = await started();
  await using other = await started();
  const trusted = { kind: 'identity', identity: IDENTITY, issuer: ISSUER, root: sigstore.root } as const;
  const signer = keylessSigner(servicesAt(sigstore), async () => TOKEN, trusted);
  const [ours, theirs] = await Promise.all([signer.sign(payload), signerAt(other).sign(payload)]);
  assert.ok(signer.isOwn(ours));
  assert.throws(() => signer.isOwn(theirs), { code: 'SIGNATURE_INVALID' });
  const unsettled = signerAt(sigstore);
  assert.ok(unsettled.isOwn(ours) && unsettled.isOwn(theirs));
  const { cert } = createAuthority();
  for (const certificate of [Buffer.from('none'), new X509Certificate(cert).raw]) {
    const bundle = JSON.parse(ours.toString('utf8'));
    bundle.verificationMaterial.certificate.rawBytes = certificate.toString('base64');
    assert.ok(!unsettled.isOwn(Buffer.from(JSON.stringify(bundle))));
  }
});

test("a company's own Fulcio and Rekor are trusted by the authorities of the system", async t => {
  const company = createAuthority();
  await using sigstore = await started({ tls: company.issue('localhost') });
  const store = path.join(await temporaryFolder(t), 'store.pem');
  await writeFile(store, company.cert);
  const authorities = tls.getCACertificates('default');
  t.after(() => tls.setDefaultCACertificates(authorities));
  const services = { fulcio: sigstore.url, rekor: sigstore.url, timestampAuthority: null, trust: null };
  const signing = { key: null, githubAttestations: false, keyless: services };
  const sign = async (file: string) => {
    const env = { SSL_CERT_FILE: file, SIGSTORE_ID_TOKEN: TOKEN };
    const http = new HttpClient({ env });
    t.after(() => http.close());
    return await (await createSigner(signing, { configFile: 'models.yaml', env, http })).sign(payload);
  };
  await assert.rejects(sign('/dev/null'), { code: 'SIGNING_SERVICE', message: /certificate/ });
  await sign(store);
  assert.deepEqual(sigstore.counts, { fulcio: 1, rekor: 1 });
});

test('a certificate that had expired when it was used is refused', async () => {
  await using sigstore = await started({ clock: new Date(Date.now() - 3 * 3600_000) });
  const bundle = await signerAt(sigstore).sign(payload);
  const trusted = { kind: 'identity', identity: IDENTITY, issuer: ISSUER, root: sigstore.root } as const;
  assert.throws(() => verifyBundle(bundle, trusted, 'the signature'), /was not valid when it was signed/);
});

for (const [title, options, message] of [
  [
    'Rekor that is down',
    { isRekorDown: true },
    /the transparency log 127\.0\.0\.1:\d+ did not sign: status 400/,
  ],
  ['Fulcio that is down', { isFulcioDown: true }, /the certificate authority 127\.0\.0\.1:\d+ did not sign/],
] as const) {
  test(`a ${title} is one clear message`, async () => {
    await using sigstore = await started(options);
    const failed = signerAt(sigstore).sign(payload);
    await assert.rejects(failed, (error: SigningError) => {
      assert.equal(error.code, 'SIGNING_SERVICE');
      assert.match(error.message, message);
      assert.ok(!`${error.message}${error.stack}`.includes(TOKEN));
      return true;
    });
  });
}

const NOW = Math.floor(Date.now() / 1000);
for (const [title, env, message] of [
  ['no token', {}, /there is no identity token/],
  [
    'a job of GitHub Actions without the permission',
    { GITHUB_ACTIONS: 'true' },
    /there is no identity token/,
  ],
  ['rubbish', { SIGSTORE_ID_TOKEN: 'planted-token' }, /not a JSON web token/],
  [
    'an expired token',
    { SIGSTORE_ID_TOKEN: identityTokenOf({ exp: NOW - 7200 }) },
    /expired 120 minutes ago/,
  ],
  ['a slow clock', { SIGSTORE_ID_TOKEN: identityTokenOf({ iat: NOW + 3600 }) }, /60 minutes in the future/],
  ['another audience', { SIGSTORE_ID_TOKEN: identityTokenOf({ aud: 'https://x' }) }, /not for sigstore/],
] as const) {
  test(`${title}: one clear message without the token`, async () => {
    const http = new HttpClient({});
    const error: unknown = await identityToken(env, http).catch((thrown: unknown) => thrown);
    http.close();
    assert.ok(error instanceof SigningError && error.code === 'SIGNING_IDENTITY');
    assert.match(error.message, message);
    const said = `${error.message} ${error.remedy} ${error.stack}`;
    for (const secret of Object.values(env)) assert.ok(secret === 'true' || !said.includes(secret));
  });
}

for (const [status, code, remedy] of [
  [403, 'SIGNING_IDENTITY', /id-token: write/],
  [429, 'SIGNING_SERVICE', /run the job again later/],
  [503, 'SIGNING_SERVICE', /run the job again later/],
] as const) {
  test(`GitHub Actions answers ${status} in place of an identity token`, async t => {
    const server = await serve(t, (_, response) => response.writeHead(status).end());
    const http = new HttpClient({ env: {}, retry: { attempts: 1 } });
    t.after(() => http.close());
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: server.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'planted-token' };
    await assert.rejects(identityToken(env, http), {
      ...{ code, remedy, message: `GitHub Actions gave no identity token (status ${status})` },
    });
  });
}

const TOKEN = identityTokenOf();

function signerAt(sigstore: LocalSigstore) {
  return keylessSigner(servicesAt(sigstore), async () => TOKEN);
}

function servicesAt({ url }: LocalSigstore) {
  return { fulcio: url, rekor: url, timestampAuthority: null, trust: null };
}

async function started(options: Parameters<typeof startSigstore>[0] = {}) {
  const sigstore = await startSigstore(options);
  return { ...sigstore, [Symbol.asyncDispose]: sigstore.close };
}
