import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withGithubStore } from '../../src/attest/signers/github-attestations.ts';
import { keylessSigner } from '../../src/attest/signers/keyless-signer.ts';
import { type StatementKind, statementAbout, statementBytes } from '../../src/attest/statement.ts';
import { verifyBundle } from '../../src/attest/verify-bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { SigningError } from '../../src/core/errors.ts';
import { HttpClient } from '../../src/http/client.ts';
import { startServer } from '../../src/testkit/server/embedded-server.ts';
import { Faults } from '../../src/testkit/server/faults.ts';
import { ISSUER, identityTokenOf, startSigstore } from '../support/sigstore.ts';

const TOKEN = 'ghs_planted_4711';
const GHCR = { repository: 'ghcr.io/acme/hf-x' };
const statement = (kind: StatementKind) => statementBytes(statementAbout(digestOf('x'), kind, {}));

/** The one address of GitHub's API that takes attestations: https://docs.github.com/en/rest/repos/attestations */
async function startGithub({ hasPermission = true } = {}) {
  const stored: Buffer[] = [];
  const server = await startServer({
    ...{ host: '127.0.0.1', port: 0, origin: 'github', log: [], faults: new Faults() },
    async handle(exchange) {
      const isKnown =
        exchange.method === 'POST' && exchange.url.pathname === '/repos/acme/models/attestations';
      if (!isKnown) return await exchange.sendJson(404, { message: 'Not Found' });
      if (exchange.header('authorization') !== `Bearer ${TOKEN}`)
        return await exchange.sendJson(401, { message: 'Bad credentials' });
      if (!hasPermission)
        return await exchange.sendJson(403, { message: 'Resource not accessible by integration' });
      const { bundle } = JSON.parse(String(await exchange.bytes(1 << 20)));
      if (bundle?.verificationMaterial?.certificate === undefined)
        return await exchange.sendJson(422, { message: 'Invalid bundle' });
      stored.push(Buffer.from(JSON.stringify(bundle)));
      await exchange.sendJson(201, { id: stored.length });
    },
  });
  return { stored, url: server.url, [Symbol.asyncDispose]: () => server.close() };
}

async function scene(options?: Parameters<typeof startGithub>[0], token = TOKEN) {
  const sigstore = await startSigstore();
  const github = await startGithub(options);
  const http = new HttpClient({ retry: { baseMs: 1, attempts: 2 } });
  const services = { fulcio: sigstore.url, rekor: sigstore.url, timestampAuthority: null, trust: null };
  const env = { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: 'acme/models', GITHUB_TOKEN: token };
  const signer = withGithubStore(
    keylessSigner(services, async () => identityTokenOf()),
    { env, http },
  );
  return {
    ...{ sigstore, signer, stored: github.stored },
    async [Symbol.asyncDispose]() {
      http.close();
      await github[Symbol.asyncDispose]();
      await sigstore.close();
    },
  };
}

test('what is stated of an image on GHCR is stored as it is signed, once, and nothing else is', async () => {
  await using world = await scene();
  const { signer, stored, sigstore } = world;
  const bundle = await signer.sign(statement('provenance'), GHCR);
  assert.deepEqual(
    stored.map(one => JSON.parse(String(one))),
    [JSON.parse(String(bundle))],
  );
  const trusted = { kind: 'identity', identity: '*', issuer: ISSUER, root: sigstore.root } as const;
  const { statement: read } = verifyBundle(stored[0] as Buffer, trusted, 'the stored bundle');
  assert.deepEqual(statementBytes(read), statement('provenance'));
  for (const kind of ['image', 'model', 'vex', 'vulnerabilities'] as const)
    await signer.sign(statement(kind), GHCR);
  await signer.sign(statement('provenance'), { repository: 'docker.io/acme/hf-x' });
  assert.equal(stored.length, 1);
  await signer.sign(statement('bom'), GHCR);
  await signer.sign(statement('license'), GHCR);
  assert.equal(stored.length, 3);
});

test('a job that may not store is said what it needs, without its token', async () => {
  for (const [options, token, code, message] of [
    [{ hasPermission: false }, TOKEN, 'SIGNING_IDENTITY', /403 \(Resource not accessible by integration\)/],
    [{}, 'ghs_another_secret', 'SIGNING_IDENTITY', /401 \(Bad credentials\)/],
  ] as const) {
    await using world = await scene(options, token);
    await assert.rejects(world.signer.sign(statement('provenance'), GHCR), (error: unknown) => {
      assert.ok(error instanceof SigningError && error.code === code);
      assert.match(error.message, message);
      assert.match(String(error.remedy), /attestations: write/);
      assert.ok(!`${error.message} ${error.remedy} ${error.stack}`.includes(token));
      return true;
    });
    assert.equal(world.stored.length, 0);
  }
  const http = new HttpClient();
  const signer = keylessSigner(
    { fulcio: null, rekor: null, timestampAuthority: null, trust: null },
    async () => '',
  );
  assert.throws(() => withGithubStore(signer, { env: { GITHUB_REPOSITORY: 'acme/models' }, http }), {
    code: 'USAGE',
    message: /GITHUB_TOKEN/,
  });
  http.close();
});
