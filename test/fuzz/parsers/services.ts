import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readProposals } from '../../../scripts/github/proposals.ts';
import { MAX_BODY_LENGTH, shortened } from '../../../scripts/github/types.ts';
import { withGithubStore } from '../../../src/attest/signers/github-attestations.ts';
import { identityToken } from '../../../src/attest/signers/identity-token.ts';
import { statementAbout, statementBytes } from '../../../src/attest/statement.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { hubFailure } from '../../../src/hub/hub-failure.ts';
import { whoAmI } from '../../../src/hub/who-am-i.ts';
import { GithubPackages } from '../../../src/retention/github-packages.ts';
import { clientOf, responseOf } from '../answers.ts';
import { assertPlain, bent, bentJson, orRefusedLater } from '../bent.ts';
import { DIGEST, parser } from './table.ts';

// Other services: GitHub's API, the Hub's for accounts, and the tokens of CI jobs.

const status = fc.constantFrom(200, 200, 200, 401, 403, 404, 429, 500);
const headers = fc.record({
  link: bent('<https://api.github.com/x?page=2>; rel="next"', '</x>; rel="next"', '<http://[>; rel="next"'),
  'retry-after': bent('3', 'x'),
  'x-ratelimit-remaining': bent('0', '5'),
  'x-ratelimit-reset': bent('1790000000', '-1', '1e99'),
  date: bent('Wed, 21 Oct 2026 07:28:00 GMT'),
});

{
  const versions = [{ id: 1, name: DIGEST, created_at: '2026-11-20T00:00:00Z' }];
  parser(
    'lists of GitHub packages',
    fc.asyncProperty(
      bentJson(versions, { message: 'Bad credentials' }),
      status,
      headers,
      async (body, code, head) => {
        let pages = 0;
        const asked: string[] = [];
        const http = clientOf(({ url }) => {
          asked.push(url);
          pages += 1;
          return { status: pages > 3 ? 404 : code, headers: head, body };
        });
        const place = {
          http,
          apiUrl: 'https://api.github.com',
          token: 'ghp_x',
          repository: 'ghcr.io/acme/hf-x',
        };
        const found = await orRefusedLater(() => GithubPackages.open(place));
        // The token goes nowhere else.
        for (const url of asked) assert.equal(new URL(url).origin, 'https://api.github.com');
        const atMs = found?.publishedAtMs(DIGEST as Digest);
        assert.ok(atMs === undefined || Number.isFinite(atMs));
      },
    ),
  );
}

{
  const signer = {
    name: 'x',
    id: 'x',
    assertReady: async () => undefined,
    sign: async () => Buffer.from('{}'),
  };
  const payload = statementBytes(statementAbout(DIGEST as Digest, 'provenance', {}));
  parser(
    'answers of GitHub to attestations',
    fc.asyncProperty(bentJson({ message: 'Resource not accessible' }, []), status, async (body, code) => {
      const http = clientOf(() => ({ status: code, body }));
      const env = { GITHUB_REPOSITORY: 'acme/models', GITHUB_TOKEN: 'ghs_x' };
      const storing = withGithubStore(signer as never, { env, http });
      await orRefusedLater(() => storing.sign(payload, { repository: 'ghcr.io/acme/hf-x' }));
    }),
  );
}

// A token is a secret: nothing of it is in an error.
{
  const claims = { iss: 'x', aud: 'sigstore', iat: 1, exp: 4e9, sub: 'repo:acme/models' };
  const token = bentJson(claims, { aud: ['a', 'b'] }, { exp: '1' }).map(
    body => `e30.${body.toString('base64url')}.c2ln`,
  );
  parser(
    'identity tokens',
    fc.asyncProperty(token, async text => {
      await orRefusedLater(() =>
        identityToken(
          { SIGSTORE_ID_TOKEN: text },
          clientOf(() => ({})),
        ),
      );
    }),
  );
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://actions.example/token?x=1',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
  };
  parser(
    'answers of GitHub to jobs',
    fc.asyncProperty(bentJson({ value: 'e30.e30.c2ln' }, { value: [] }), status, async (body, code) => {
      await orRefusedLater(() =>
        identityToken(
          env,
          clientOf(() => ({ status: code, body })),
        ),
      );
    }),
  );
}

{
  const account = { name: 'me', type: 'user', auth: { accessToken: { role: 'read', displayName: 'x' } } };
  parser(
    'Hub accounts',
    fc.asyncProperty(bentJson(account, { name: 'me', auth: null }), status, async (body, code) => {
      const http = clientOf(() => ({ status: code, body }));
      const asking = () => whoAmI(http, 'https://huggingface.co', { authorization: 'Bearer x' }, undefined);
      const found = await orRefusedLater(asking);
      assertPlain(found?.name ?? '');
      assertPlain(found?.role ?? '');
    }),
  );
  const named = fc.record({
    'x-error-code': bent('GatedRepo', 'RevisionNotFound', 'EntryNotFound'),
    'x-error-message': bent('Access to this resource is disabled.', '\u001b[2J'),
    'retry-after': bent('3', '1e400'),
  });
  const question = {
    endpoint: 'https://huggingface.co',
    model: 'acme/x',
    revision: 'main\u001b[2J',
    hasToken: true,
    path: 'a\u202eb',
  };
  const place = fc.constantFrom('https://huggingface.co/x', 'https://cdn.example/x');
  parser(
    'errors of the Hub',
    fc.property(named, status, place, (head, code, url) => {
      assertPlain(hubFailure(responseOf(url, { status: code, headers: head }), question).message);
    }),
  );
}

// What one job of a workflow leaves to another that may write: these branches and files, and no others.
{
  const files = { 'models.yaml': 'models: []\n', 'weighbridge.lock': 'version: 2\n' };
  const proposal = { branch: 'weighbridge/update-models/x', title: 'Update x', body: '- x', files };
  const left = { schemaVersion: 1, proposals: [proposal], undecided: ['weighbridge/update-models/y'] };
  const climbing = { ...left, proposals: [{ ...proposal, branch: 'weighbridge/update-a/../../main' }] };
  parser(
    'proposals of updates',
    fc.property(bentJson(left, climbing), bytes => {
      let found: ReturnType<typeof readProposals>;
      try {
        found = readProposals(bytes.toString('utf8'), 'models.yaml');
      } catch (error) {
        assert.equal((error as Error).constructor, Error, String(error));
        assert.ok((error as Error).message.length < 1000);
        return;
      }
      for (const { branch, title, body, files: written } of found.proposals) {
        assert.equal(new URL(`https://a/git/refs/heads/${branch}`).pathname, `/git/refs/heads/${branch}`);
        assertPlain(title);
        assert.equal(typeof body, 'string');
        assert.ok(Object.keys(written).every(file => file in files));
        assert.ok(Object.values(written).every(text => typeof text === 'string'));
      }
    }),
  );
  const long = fc.tuple(bent('| a | b |\n', '\u{1f600}', '`x` <!-- \n'), fc.nat(70_000));
  parser(
    'bodies of pull requests',
    fc.property(long, ([text, count]) => {
      const body = shortened(text.repeat(Math.ceil(count / (text.length + 1))));
      assert.ok(body.length <= MAX_BODY_LENGTH);
    }),
  );
}
