import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { PredicateType } from '../../src/attest/statement.ts';
import { buildBaseImage } from '../../src/testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { pushImage } from '../../src/testkit/push-image.ts';
import { startRegistry as startEmbedded } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { ROOT, weighbridge } from '../support/command.ts';
import { debianWithZlib } from '../support/debian-base.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { IS_LONG } from '../support/long.ts';
import { type RunResult, run, runOk, startServerProcess, stopServer } from '../support/tools.ts';
import { makeTrivyDatabase } from '../support/trivy-database.ts';
import { startRegistry } from './registry.ts';

// Signed by us, verified by cosign and read by Trivy, on a registry with the referrers API (go-containerregistry's) and on
// one without; then copied by what people copy images with.

const PASSWORD = 'planted-password-7361';
const HIDDEN = 'CVE-2026-11111';
/** Its list of referrers has neither their types nor annotations, and Trivy finds no VEX without. */
const CONTAINERREGISTRY = "with the referrers API (go-containerregistry's)";
const SHOWN = 'CVE-2026-22222';
const skip = IS_LONG
  ? requireGoTool('cosign', 'referrers-registry', 'registry', 'trivy', 'trivy-test-db', 'oras', 'regctl')
  : 'the long form has it (WEIGHBRIDGE_LONG=1)';

interface Registry {
  readonly host: string;
  stop(): Promise<unknown>;
}

const REGISTRIES: readonly (readonly [string, () => Promise<Registry>])[] = [
  [
    'with the referrers API (embedded)',
    async () => {
      const embedded = await startEmbedded();
      return { host: embedded.host, stop: () => embedded.close() };
    },
  ],
  [
    CONTAINERREGISTRY,
    async () => {
      const { child, ready } = await startServerProcess(goTool('referrers-registry'), []);
      return { host: ready.address as string, stop: () => stopServer(child) };
    },
  ],
  ['with the tag schema (distribution 3)', () => startRegistry({ edition: 'distribution 3' })],
];

for (const [title, start] of REGISTRIES) {
  describe(`a registry ${title}`, { skip, concurrency: false }, () => {
    let folder: string;
    let hub: EmbeddedHub;
    let registry: Registry;
    let env: Record<string, string | undefined>;
    let planted: string;
    const said: string[] = [];
    const image = (variant = 'fat', repository = 'acme/hf-x') =>
      `${registry.host}/${repository}:v0.6.0-${variant}`;
    const ours = async (...args: string[]): Promise<RunResult> => {
      const result = await weighbridge(args, { env, cwd: folder });
      said.push(result.stdout, result.stderr);
      return result;
    };
    const tool = (name: 'cosign' | 'trivy' | 'oras' | 'regctl', ...args: string[]) =>
      run(goTool(name), args, { cwd: folder, env: { ...env, HOME: folder } });
    const attestation = (type: string, reference: string) =>
      tool('cosign', 'verify-attestation', ...OFFLINE, '--key', 'key.pub', '--type', type, reference);

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-sign-'));
      hub = await startHub();
      registry = await start();
      await hub.addModel({ id: 'acme/x', files: await sampleModelFiles() });
      const base = buildBaseImage({ layers: [await debianWithZlib()] });
      await pushImage(`http://${registry.host}`, 'vllm/base', 'v0.6.0', base);
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      planted = String(
        privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD }),
      );
      await writeFile(path.join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
      await writeFile(
        path.join(folder, 'models.yaml'),
        `registries: {lab: ${registry.host}/acme}
defaults: {base_image: "${registry.host}/vllm/base:v0.6.0"}
signing: {mode: required, key: "env://SIGNING_KEY"}
vex: [{vulnerability: ${HIDDEN}, status: not_affected, justification: component_not_present, date: 2026-11-20}]
models: [{id: acme/x, short: x}]
`,
      );
      const database = await makeTrivyDatabase(folder, HIDDEN, SHOWN);
      env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, ...database };
      env = { ...env, SIGNING_KEY: planted, COSIGN_PASSWORD: PASSWORD };
    });
    after(async () => {
      await Promise.all([registry?.stop(), hub?.close()]);
      await rm(folder, { recursive: true, force: true });
    });

    test('cosign verifies the image and every statement with the public key alone', async () => {
      const published = await ours('publish');
      assert.equal(published.status, 0, published.stderr);
      for (const variant of ['fat', 'slim']) {
        const verified = await tool('cosign', 'verify', ...OFFLINE, '--key', 'key.pub', image(variant));
        assert.equal(verified.status, 0, verified.stderr);
        for (const type of ['image', 'provenance', 'bom', 'license', 'vex'] as const) {
          const { status, stderr } = await attestation(PredicateType[type], image(variant));
          assert.equal(status, 0, `${variant} ${type}: ${stderr}`);
        }
      }
    });

    test('a scan is stated as it is attached, and signing again signs nothing anew', async () => {
      const scanned = await ours('scan', '--trivy', goTool('trivy'));
      assert.equal(scanned.status, 0, scanned.stderr + scanned.stdout);
      const signed = await ours('sign', '--json', image());
      assert.equal(signed.status, 0, signed.stderr + signed.stdout);
      const [{ statements }] = JSON.parse(signed.stdout).images[0].subjects;
      // The scan's is made by `scan` alone.
      assert.equal(statements.length, 6);
      for (const { kind, status } of statements) assert.equal(status, 'unchanged', kind);
      const { status, stdout, stderr } = await attestation('vuln', image());
      assert.equal(status, 0, stderr);
      const { predicate } = JSON.parse(Buffer.from(JSON.parse(stdout.trim()).payload, 'base64').toString());
      const found = JSON.stringify(predicate.scanner.result);
      assert.ok(found.includes(HIDDEN) && found.includes(SHOWN));
    });

    test('the policies of docs/admission.md admit what they should', async () => {
      const { cue, rego } = await policies();
      await writeFile(path.join(folder, 'license.cue'), cue);
      const judge = (type: string, policy: string) =>
        tool(
          'cosign',
          'verify-attestation',
          ...OFFLINE,
          '--key',
          'key.pub',
          '--type',
          type,
          '--policy',
          policy,
          image(),
        );
      const licensed = await judge(PredicateType.license, 'license.cue');
      assert.equal(licensed.status, 0, licensed.stderr);
      await writeFile(path.join(folder, 'unlicensed.cue'), cue.replace('true', 'false'));
      assert.equal((await judge(PredicateType.license, 'unlicensed.cue')).status, 1);
      // The advisories of the test have no date, so they count as old; the VEX answers one of the two.
      await writeFile(path.join(folder, 'scan.rego'), rego);
      assert.equal((await judge('vuln', 'scan.rego')).status, 1);
      await writeFile(
        path.join(folder, 'one.rego'),
        rego.replace('count(open) == 0', `open == {"${SHOWN}"}`),
      );
      const one = await judge('vuln', 'one.rego');
      assert.equal(one.status, 0, one.stderr);
    });

    test('a models.yaml that makes another image by now is not stated as what made this one', async () => {
      const file = path.join(folder, 'models.yaml');
      const before = await readFile(file, 'utf8');
      await writeFile(file, before.replace('short: x}', 'short: x, serve_args: ["--port", "9000"]}'));
      const signed = await ours('sign', '--json', image());
      await writeFile(file, before);
      assert.equal(signed.status, 0, signed.stderr + signed.stdout);
      assert.match(
        signed.stderr,
        /models\.yaml makes another image now .*signing without a license decision/,
      );
      const [{ statements }] = JSON.parse(signed.stdout).images[0].subjects;
      assert.ok(!statements.some(({ kind }: { kind: string }) => kind === 'license'));
      // And with the file as it was, all is stated as the publish stated it.
      const again = await ours('sign', '--json', image());
      assert.match(again.stdout, /"kind": "license"/);
    });

    test('verify --signed passes with the key, and with another key or a changed tag does not', async () => {
      const args = ['verify', '--signed', '--policy', 'strict', '--json'];
      const verified = await ours(...args, '--key', 'key.pub', image(), image('slim'));
      assert.equal(verified.status, 0, verified.stdout);
      assert.deepEqual(
        JSON.parse(verified.stdout).images.map((one: { signed: boolean }) => one.signed),
        [true, true],
      );
      const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
      await writeFile(path.join(folder, 'other.pub'), other);
      const failed = await ours(...args, '--key', 'other.pub', image());
      assert.equal(failed.status, 1);
      assert.match(failed.stdout, /is not signed by this key/);
    });

    test('Trivy hides what the VEX says and nothing else, and reads the bill of materials', async () => {
      const scan = async (...more: string[]): Promise<string[]> => {
        const args = [
          'image',
          '--image-src',
          'remote',
          '--format',
          'json',
          '--scanners',
          'vuln',
          ...more,
          image(),
        ];
        const { status, stdout, stderr } = await tool('trivy', ...args);
        assert.equal(status, 0, stderr);
        const { Results = [] } = JSON.parse(stdout);
        return Results.flatMap(({ Vulnerabilities = [] }) =>
          Vulnerabilities.map((one: { VulnerabilityID: string }) => one.VulnerabilityID),
        ).sort();
      };
      assert.deepEqual(await scan(), [HIDDEN, SHOWN]);
      const hasTypes = title !== CONTAINERREGISTRY;
      assert.deepEqual(await scan('--vex', 'oci'), hasTypes ? [SHOWN] : [HIDDEN, SHOWN]);
      const { stdout } = await attestation(PredicateType.bom, image());
      const { predicate } = JSON.parse(Buffer.from(JSON.parse(stdout.trim()).payload, 'base64').toString());
      await writeFile(path.join(folder, 'bom.json'), JSON.stringify(predicate));
      const read = await tool('trivy', 'sbom', '--format', 'json', 'bom.json');
      assert.equal(read.status, 0, read.stderr);
      assert.equal(JSON.parse(read.stdout).ArtifactType, 'cyclonedx');
    });

    for (const [name, isWhole, args] of [
      [
        'oras cp -r',
        true,
        (from: string, to: string) => ['oras', 'cp', '-r', '--from-plain-http', '--to-plain-http', from, to],
      ],
      [
        'regctl image copy --referrers',
        true,
        (from, to) => ['regctl', 'image', 'copy', '--referrers', from, to],
      ],
      // It is deprecated, and copies no bundles, its own either.
      ['cosign copy', false, (from, to) => ['cosign', 'copy', '--allow-http-registry', from, to]],
    ] as readonly (readonly [string, boolean, (from: string, to: string) => string[]])[]) {
      test(`${name} takes ${isWhole ? 'signatures and statements along' : 'the image alone'}`, async () => {
        const to = image('fat', `copy/${name.split(' ')[0]}`);
        const home = { env: { HOME: folder } };
        await runOk(goTool('regctl'), ['registry', 'set', '--tls', 'disabled', registry.host], home);
        const [program = '', ...rest] = args(image(), to);
        const copied = await tool(program as 'oras', ...rest);
        assert.equal(copied.status, 0, copied.stderr);
        const verify = ['verify', '--signed', '--policy', 'strict', '--key', 'key.pub'];
        const { status, stdout } = await ours(...verify, to);
        assert.equal(status, isWhole ? 0 : 1, stdout);
        if (!isWhole) assert.match(stdout, /there is no image signature/);
      });
    }

    test('no output has the key or its password', async () => {
      const wrong = await weighbridge(['publish'], {
        env: { ...env, COSIGN_PASSWORD: `${PASSWORD}x` },
        cwd: folder,
      });
      assert.equal(wrong.status, 2);
      assert.match(wrong.stderr, /cannot be read with this password/);
      const all = [...said, wrong.stdout, wrong.stderr].join('\n');
      assert.ok(all.length > 1000);
      for (const secret of [
        PASSWORD,
        ...planted.split('\n').filter(line => line.length > 20 && !line.includes('---')),
      ])
        assert.ok(!all.includes(secret));
    });
  });
}

/** As cosign runs them: it asks for other names than policy-controller does. */
async function policies(): Promise<{ readonly cue: string; readonly rego: string }> {
  const page = await readFile(path.join(ROOT, 'docs/admission.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n(apiVersion: policy\.sigstore[^`]*)```/.exec(page) ?? [];
  const [authority] = parse(yaml).spec.authorities;
  const [cue, rego] = authority.attestations.map((one: { policy: { data: string } }) => one.policy.data);
  const renamed = rego.replace('package sigstore', 'package signature').replaceAll('isCompliant', 'allow');
  return { cue, rego: renamed };
}

const OFFLINE = ['--insecure-ignore-tlog=true', '--allow-http-registry', '--offline=true'];
