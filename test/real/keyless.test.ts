import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { PredicateType } from '../../src/attest/statement.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { weighbridge } from '../support/command.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { IS_LONG } from '../support/long.ts';
import { ISSUER, identityTokenOf, startSigstore } from '../support/sigstore.ts';
import { run, temporaryFolder } from '../support/tools.ts';

const skip = IS_LONG ? requireGoTool('cosign') : 'the long form has it (WEIGHBRIDGE_LONG=1)';
const IDENTITY = 'https://gitlab.example/acme/models//.gitlab-ci.yml@refs/heads/main';

test('signed without a key, verified by cosign and by us with the trusted root, and no token is shown', {
  skip,
}, async t => {
  const folder = await temporaryFolder(t);
  const [hub, registry, sigstore] = await Promise.all([startHub(), startRegistry(), startSigstore()]);
  t.after(() => Promise.all([hub.close(), registry.close(), sigstore.close()]));
  await hub.addModel({ id: 'acme/x', files: await sampleModelFiles() });
  await makeBaseImage(registry, 'vllm/base', 'v0.6.0');
  await writeFile(path.join(folder, 'root.json'), sigstore.rootJson);
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries: {lab: ${registry.host}/acme}
defaults: {base_image: "${registry.host}/vllm/base:v0.6.0"}
signing: {mode: required, keyless: {fulcio: "${sigstore.url}", rekor: "${sigstore.url}"}}
models: [{id: acme/x, short: x}]
`,
  );
  const token = identityTokenOf({ sub: IDENTITY });
  const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, SIGSTORE_ID_TOKEN: token, HOME: folder };
  const published = await weighbridge(['publish'], { env, cwd: folder });
  assert.equal(published.status, 0, published.stderr);
  assert.equal(sigstore.counts.fulcio, 1);
  const image = `${registry.host}/acme/hf-x:v0.6.0-fat`;
  const who = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', ISSUER];
  const args = ['--trusted-root', 'root.json', '--allow-http-registry', ...who];
  const verified = await run(goTool('cosign'), ['verify', ...args, image], { cwd: folder, env });
  assert.equal(verified.status, 0, verified.stderr);
  const typed = ['verify-attestation', ...args, '--type', PredicateType.provenance, image];
  assert.equal((await run(goTool('cosign'), typed, { cwd: folder, env })).status, 0);
  const other = ['verify', ...args.slice(0, -3), 'https://gitlab.example/other', ...args.slice(-2), image];
  assert.equal((await run(goTool('cosign'), other, { cwd: folder, env })).status, 1);

  const ours = [
    'verify',
    '--signed',
    '--policy',
    'strict',
    '--issuer',
    ISSUER,
    '--trusted-root',
    'root.json',
  ];
  const right = await weighbridge([...ours, '--identity', IDENTITY, image], { env, cwd: folder });
  assert.equal(right.status, 0, right.stdout + right.stderr);
  const wrong = await weighbridge([...ours, '--identity', 'https://gitlab.example/other', image], {
    env,
    cwd: folder,
  });
  assert.equal(wrong.status, 1);
  // Publishing again signs nothing anew.
  const { rekor } = sigstore.counts;
  const again = await weighbridge(['publish'], { env, cwd: folder });
  assert.equal(again.status, 0, again.stderr);
  assert.equal(sigstore.counts.rekor, rekor);
  for (const { stdout, stderr } of [published, right, wrong, again])
    for (const part of [token, ...token.split('.').slice(1, 2)]) assert.ok(!(stdout + stderr).includes(part));
});
