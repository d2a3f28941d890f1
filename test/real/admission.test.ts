import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { buildBaseImage } from '../../src/testkit/base-image.ts';
import { startHub } from '../../src/testkit/hub.ts';
import { pushImage } from '../../src/testkit/push-image.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { ROOT, weighbridge } from '../support/command.ts';
import { debianWithZlib } from '../support/debian-base.ts';
import { goTool } from '../support/go-tools.ts';
import { ISSUER, identityTokenOf, startSigstore } from '../support/sigstore.ts';
import { run, temporaryFolder } from '../support/tools.ts';
import { makeTrivyDatabase } from '../support/trivy-database.ts';

// The sample for policy-controller in docs/admission.md, judged by the controller's own code, with a Sigstore of this test.
// Building it takes minutes, so CI does not, and WEIGHBRIDGE_REQUIRE_REAL does not ask for it.

const isBuilt = (['policy-tester', 'trivy', 'trivy-test-db'] as const).every(tool =>
  existsSync(goTool(tool)),
);
const IDENTITY = 'https://github.com/acme/models/.github/workflows/models.yml@refs/heads/main';
const ANSWERED = 'CVE-2026-11111';
const OPEN = 'CVE-2026-22222';

test('policy-controller: the sample admits what is signed, licensed and answered, and nothing else', {
  skip: isBuilt ? false : 'policy-tester is not built (scripts/build-go-tools.sh --admission does that)',
}, async t => {
  const folder = await temporaryFolder(t);
  const [hub, registry, sigstore] = await Promise.all([startHub(), startRegistry(), startSigstore()]);
  t.after(() => Promise.all([hub.close(), registry.close(), sigstore.close()]));
  await hub.addModel({ id: 'acme/x', files: await sampleModelFiles() });
  const base = buildBaseImage({ layers: [await debianWithZlib()] });
  await pushImage(`http://${registry.host}`, 'vllm/base', 'v0.6.0', base);
  const env = {
    ...(await makeTrivyDatabase(folder, ANSWERED, OPEN)),
    HF_ENDPOINT: hub.url,
    DOCKER_CONFIG: folder,
    SIGSTORE_ID_TOKEN: identityTokenOf({ sub: IDENTITY }),
  };
  const keyless = `{fulcio: "${sigstore.url}", rekor: "${sigstore.url}"}`;
  const ours = async (folderName: string, config: string, ...args: string[]): Promise<void> => {
    const cwd = path.join(folder, folderName);
    await mkdir(cwd, { recursive: true });
    const models = 'models: [{id: acme/x, short: x}]';
    const text = `registries: {lab: ${registry.host}/${folderName}}
defaults: {base_image: "${registry.host}/vllm/base:v0.6.0", variants: [fat]}
${config}
${models}
`;
    await writeFile(path.join(cwd, 'models.yaml'), text);
    const { status, stdout, stderr } = await weighbridge(args, { env, cwd });
    assert.equal(status, 0, stdout + stderr);
  };
  const answered = (...ids: string[]): string =>
    `vex: [${ids.map(id => `{vulnerability: ${id}, status: fixed, date: 2026-11-20}`).join(', ')}]`;
  const signing = `signing: {mode: required, keyless: ${keyless}}`;
  const scan = ['scan', '--trivy', goTool('trivy')];

  await writeFile(path.join(folder, 'root.json'), sigstore.rootJson);
  const judge = async (repository: string, identity = IDENTITY) => {
    const policy = await sample(`${registry.host}/**`, identity);
    await writeFile(path.join(folder, 'policy.yaml'), policy);
    const image = `${registry.host}/${repository}/hf-x:v0.6.0-fat`;
    const args = ['policy.yaml', 'root.json', 'test', image];
    const { status, stdout, stderr } = await run(goTool('policy-tester'), args, {
      cwd: folder,
      env: { HOME: folder },
    });
    return { status, said: stdout + stderr };
  };

  await ours('unsigned', 'signing: {mode: "off"}', 'publish');
  assert.match((await judge('unsigned')).said, /no valid bundles exist/);

  await ours('acme', `${signing}\n${answered(ANSWERED)}`, 'publish');
  assert.match((await judge('acme')).said, /no matching attestations.*vuln\/v1/s);

  // The advisories of the test have no date, so they count as old; the VEX answers one of the two.
  await ours('acme', `${signing}\n${answered(ANSWERED)}`, ...scan);
  assert.match((await judge('acme')).said, /scan/);

  await ours('acme', `${signing}\n${answered(ANSWERED, OPEN)}`, ...scan);
  const admitted = await judge('acme');
  assert.equal(admitted.status, 0, admitted.said);

  const stranger = await judge('acme', 'https://github.com/somebody/else');
  assert.equal(stranger.status, 1, stranger.said);

  // Signed by hand, with a models.yaml that does not list the model: nothing says that its weights may be published.
  await ours('unlicensed', 'signing: {mode: "off"}', 'publish');
  await ours('unlicensed', `${signing}\n${answered(ANSWERED, OPEN)}`, ...scan);
  const image = `${registry.host}/unlicensed/hf-x:v0.6.0-fat`;
  const empty = path.join(folder, 'empty');
  await mkdir(empty);
  await writeFile(path.join(empty, 'models.yaml'), `${signing}\nmodels: [{id: acme/other, short: other}]\n`);
  const signed = await weighbridge(['sign', image], { env, cwd: empty });
  assert.equal(signed.status, 0, signed.stdout + signed.stderr);
  assert.match((await judge('unlicensed')).said, /no matching attestations.*license-decision\/v1/s);
});

/** The sample with the names of this test. */
async function sample(glob: string, identity: string): Promise<string> {
  const page = await readFile(path.join(ROOT, 'docs/admission.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n(apiVersion: policy\.sigstore[^`]*)```/.exec(page) ?? [];
  const policy = parse(yaml);
  policy.spec.images = [{ glob }];
  for (const authority of policy.spec.authorities) {
    authority.keyless = { trustRootRef: 'test', identities: [{ issuer: ISSUER, subject: identity }] };
    authority.ctlog = { trustRootRef: 'test' };
  }
  return stringify(policy);
}
