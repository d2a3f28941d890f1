import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ScanJson } from '../../src/report/json/scan-json.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { generatedContent } from '../../src/testkit/server/generated-content.ts';
import { buildBaseImage, pushBase } from '../real/base-image.ts';
import { type RealRegistry, startRegistry } from '../real/registry.ts';
import { weighbridge } from '../support/command.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { onlyLong } from '../support/long.ts';
import { requireToolAsRoot, runOk } from '../support/tools.ts';
import { makeTrivyDatabase } from '../support/trivy-database.ts';

// Real Trivy on images in a real registry. Its database is one of this test, with one advisory for a package that the base
// image has; so nothing here needs the network, and every finding is known beforehand.

const skip =
  onlyLong ||
  requireToolAsRoot('skopeo', 'mmdebstrap', 'flock', 'docker-registry', 'perl') ||
  requireGoTool('trivy', 'trivy-test-db');
const CVE = 'CVE-2026-99999';
/** A real model has that much: what is read of it has to be small beside it. */
const WEIGHT_BYTES = 7_000_000_000;

describe('weighbridge scan', { skip, concurrency: false }, () => {
  let hub: EmbeddedHub;
  let registry: RealRegistry;
  let folder: string;
  let config: string;
  let env: Record<string, string | undefined>;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-scan-test-'));
    hub = await startHub();
    registry = await startRegistry();
    for (const name of ['one', 'two']) {
      await hub.addModel({
        id: `acme/${name}`,
        files: {
          'README.md': '---\nlicense: apache-2.0\n---\n',
          'config.json': '{"model_type":"llama"}',
          // The shape of a key of a cloud that does not exist.
          'notes.py': name === 'two' ? 'aws_access_key_id = "AKIAQWERTYUIOPASDFGH"\n' : 'pass\n',
          'model.safetensors': generatedContent({
            sizeBytes: name === 'one' ? WEIGHT_BYTES : 1_000_000,
            seed: name,
          }),
        },
      });
    }
    await pushBase(await buildBaseImage(), `${registry.host}/base/vllm:v0.6.0`);
  });

  after(async () => {
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
    await hub?.close();
  });

  test('models are published, and the database of the test is made', async () => {
    env = { HF_ENDPOINT: hub.url, ...(await makeTrivyDatabase(folder, CVE)) };
    config = path.join(folder, 'models.yaml');
    await writeFile(
      config,
      `registries: { lab: ${registry.host}/acme }
defaults: { base_image: "${registry.host}/base/vllm:v0.6.0" }
models:
  - { id: acme/one, short: one }
  - { id: acme/two, short: two }
`,
    );
    const result = await weighbridge(
      ['publish', '-c', config, '--result', path.join(folder, 'result.json')],
      { env },
    );
    assert.equal(result.status, 0, result.stderr);
  });

  test('the advisory is found in each image; the base is read once, and no weights at all', async t => {
    const result = await scan(
      '--published',
      path.join(folder, 'result.json'),
      '--sarif',
      path.join(folder, 'sarif'),
    );
    assert.equal(result.status, 0, result.stderr);
    const { scans, failures } = JSON.parse(result.stdout) as ScanJson;
    assert.deepEqual(failures, []);
    assert.deepEqual(
      scans.map(({ short, variant }) => `${short} ${variant}`),
      ['one slim', 'one fat', 'two slim', 'two fat'],
    );
    for (const { findings, summary, base } of scans) {
      const found = findings.find(finding => finding.id === CVE);
      assert.deepEqual(
        [found?.severity, found?.subject, found?.fixedVersion, found?.origin],
        ['CRITICAL', 'zlib1g', '99:1.0', 'base'],
      );
      assert.equal(summary.vulnerabilities.CRITICAL, 1);
      assert.equal(summary.fixable, 1);
      assert.equal(base?.name, `${registry.host}/base/vllm:v0.6.0`);
      assert.match(summary.scanner, /^trivy 0\.\d+/);
    }
    const reads = scans.map(({ read }) => read);
    assert.deepEqual(
      reads.map(({ base }) => base > 0),
      [true, false, false, false],
    );
    const read = reads.reduce((sum, { own, base }) => sum + own + base, 0);
    const fat = scans.find(({ variant }) => variant === 'fat');
    const own = reads[1]?.own ?? Number.NaN;
    const size = fat?.sizeBytes ?? 0;
    t.diagnostic(
      `read ${own} bytes of the fat image's own layers (${size} in all), ${reads[0]?.base} of the base, ${read} for all four images`,
    );
    assert.ok(own < 0.01 * size, `${own} of ${size}`);
    assert.ok((reads[0]?.base ?? size) + own < 0.01 * size, `${read} of ${size}`);
  });

  test('a key in a file of the model is found, and named in the report', async () => {
    const { scans } = JSON.parse((await scan('-m', 'two', '--no-attach')).stdout) as ScanJson;
    const fat = scans.find(({ variant }) => variant === 'fat');
    assert.equal(fat?.summary.secrets, 1);
    const secret = fat?.findings.find(({ kind }) => kind === 'secret');
    assert.deepEqual([secret?.origin, secret?.subject], ['own', '/models/two/notes.py']);
  });

  test('SARIF has the advisory, and each image its own category', async () => {
    const categories = new Set<string>();
    for (const name of ['one-slim', 'one-fat', 'two-slim', 'two-fat']) {
      const sarif = JSON.parse(await readFile(path.join(folder, 'sarif', `${name}.sarif`), 'utf8'));
      assert.equal(sarif.version, '2.1.0');
      assert.ok(sarif.runs[0].results.some((one: { ruleId: string }) => one.ruleId === CVE));
      categories.add(sarif.runs[0].automationDetails.id);
    }
    assert.deepEqual(
      categories,
      new Set(['one/slim', 'one/fat', 'two/slim', 'two/fat'].map(id => `weighbridge/${id}/`)),
    );
  });

  test('results are beside the images, once for what has not changed, and the job summary shows them', async () => {
    const referrers = async (short: string) => {
      const digest = JSON.parse(
        await runOk('skopeo', [
          'inspect',
          '--tls-verify=false',
          `docker://${registry.host}/acme/hf-${short}:v0.6.0-fat`,
        ]),
      ).Digest as string;
      const url = `http://${registry.host}/v2/acme/hf-${short}/manifests/${digest.replace(':', '-')}`;
      const headers = { accept: 'application/vnd.oci.image.index.v1+json' };
      const index = await (await fetch(url, { headers })).json();
      return (index as { manifests: { artifactType: string; annotations: Record<string, string> }[] })
        .manifests;
    };
    const [attached, ...others] = await referrers('one');
    assert.deepEqual(others, []);
    assert.equal(attached?.artifactType, 'application/vnd.weighbridge.scan.v1+json');
    assert.equal(attached?.annotations['io.weighbridge.scan.vulnerabilities.critical'], '1');
    const again = await scan('-m', 'one', '--result', path.join(folder, 'scan.json'));
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(await referrers('one'), [attached]);
    const page = await weighbridge([
      ...['summary', '--result', path.join(folder, 'result.json'), '--scan', path.join(folder, 'scan.json')],
    ]);
    assert.match(page.stdout, /\| 1 critical, 0 high \|/);
    assert.match(page.stdout, new RegExp(`\\[${CVE}\\].*\`zlib1g\` \\(base image\\)`));
  });

  test('scans of base images are kept in a folder, and taken from there', async () => {
    const kept = path.join(folder, 'base-scans');
    const bases = await scan('--bases', '--base-scans', kept);
    assert.equal(bases.status, 0, bases.stderr);
    const { scans } = JSON.parse(
      (await scan('-m', 'one', '--no-attach', '--base-scans', kept)).stdout,
    ) as ScanJson;
    assert.deepEqual(
      scans.map(({ read, summary }) => [read.base, summary.vulnerabilities.CRITICAL]),
      [
        [0, 1],
        [0, 1],
      ],
    );
  });

  test('fail_on makes it fail, and the ignore file takes the finding out of everything', {
    skip: onlyLong,
  }, async () => {
    const text = await readFile(config, 'utf8');
    const strict = path.join(folder, 'strict.yaml');
    await writeFile(strict, `${text}scan: { fail_on: [CRITICAL] }\n`);
    assert.equal((await scan('-c', strict, '-m', 'one', '--no-attach')).status, 1);
    await writeFile(strict, `${text}scan: { fail_on: [CRITICAL], ignore_file: .ignored }\n`);
    await writeFile(path.join(folder, '.ignored'), `${CVE}\n`);
    const ignored = await scan(
      '-c',
      strict,
      '-m',
      'one',
      '--no-attach',
      '--sarif',
      path.join(folder, 'sarif-ignored'),
    );
    assert.equal(ignored.status, 0, ignored.stderr);
    assert.deepEqual((JSON.parse(ignored.stdout) as ScanJson).scans[0]?.summary.vulnerabilities.CRITICAL, 0);
    assert.doesNotMatch(
      await readFile(path.join(folder, 'sarif-ignored', 'one-fat.sarif'), 'utf8'),
      new RegExp(CVE),
    );
  });

  test('without Trivy, and with a database that cannot be had, the message says what to do', async () => {
    const missing = await weighbridge(['scan', '-c', config, '--trivy', '/nowhere/trivy'], { env });
    assert.equal(missing.status, 1);
    assert.match(
      missing.stderr,
      /Trivy cannot be started: \/nowhere\/trivy was not found\n {2}Install it .*--trivy <path>/,
    );
    const empty = { ...env, TRIVY_CACHE_DIR: path.join(folder, 'empty') };
    const broken = await weighbridge(['scan', '-c', config, '--trivy', goTool('trivy'), '-m', 'one'], {
      env: empty,
    });
    assert.equal(broken.status, 1);
    assert.match(broken.stdout, /was not scanned: .*--skip-db-update cannot be specified/);
  });

  test('the table is for people', async () => {
    const result = await weighbridge(
      ['scan', '-c', config, '--trivy', goTool('trivy'), '-m', 'one', '--no-attach'],
      { env },
    );
    assert.match(result.stdout, /zlib1g/);
    assert.match(result.stdout, /one fat: 1 critical, 0 high/);
    assert.match(result.stdout, /the base image was scanned before/);
  });

  function scan(...args: string[]) {
    const file = args.includes('-c') ? [] : ['-c', config];
    return weighbridge(['scan', ...file, '--trivy', goTool('trivy'), '--json', ...args], { env });
  }
});
