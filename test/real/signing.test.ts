import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PredicateType } from '../../src/attest/statement.ts';
import { buildBaseImage } from '../../src/testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { pushImage } from '../../src/testkit/push-image.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { weighbridge } from '../support/command.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { IS_LONG } from '../support/long.ts';
import { type RunResult, run, runOk, startServerProcess, stopServer } from '../support/tools.ts';
import { startRegistry } from './registry.ts';

// Signed by us, verified by cosign: on a registry with the referrers API (go-containerregistry's) and on one without.

const PASSWORD = 'planted-password-7361';
const skip = IS_LONG
  ? requireGoTool('cosign', 'referrers-registry', 'registry')
  : 'the long form has it (WEIGHBRIDGE_LONG=1)';

interface Registry {
  readonly host: string;
  stop(): Promise<unknown>;
}

const REGISTRIES: readonly (readonly [string, () => Promise<Registry>])[] = [
  [
    'with the referrers API',
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
    let env: Record<string, string>;
    let planted: string;
    const said: string[] = [];
    const image = (variant = 'fat') => `${registry.host}/acme/hf-x:v0.6.0-${variant}`;
    const ours = async (...args: string[]): Promise<RunResult> => {
      const result = await weighbridge(args, { env, cwd: folder });
      said.push(result.stdout, result.stderr);
      return result;
    };

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-sign-'));
      hub = await startHub();
      registry = await start();
      await hub.addModel({ id: 'acme/x', files: await sampleModelFiles() });
      for (const platform of ['amd64', 'arm64'])
        await pushImage(`http://${registry.host}`, `vllm/base-${platform}`, 'v0.6.0', buildBaseImage());
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      planted = String(
        privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD }),
      );
      await writeFile(path.join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
      await writeFile(
        path.join(folder, 'models.yaml'),
        `registries: {lab: ${registry.host}/acme}
defaults: {base_image: "${registry.host}/vllm/base-amd64:v0.6.0"}
signing: {mode: required, key: "env://SIGNING_KEY"}
vex: [{vulnerability: CVE-2026-1, status: fixed, date: 2026-11-20}]
models: [{id: acme/x, short: x}]
`,
      );
      env = { HF_ENDPOINT: hub.url, SIGNING_KEY: planted, COSIGN_PASSWORD: PASSWORD, DOCKER_CONFIG: folder };
    });
    after(async () => {
      await registry?.stop();
      await hub?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test('cosign verifies the image and every statement with the public key alone', async () => {
      const published = await ours('publish');
      assert.equal(published.status, 0, published.stderr);
      for (const variant of ['fat', 'slim']) {
        await runOk(goTool('cosign'), ['verify', ...OFFLINE, '--key', 'key.pub', image(variant)], {
          cwd: folder,
        });
        for (const type of ['image', 'provenance', 'bom', 'license', 'vex'] as const) {
          const args = [...OFFLINE, '--key', 'key.pub', '--type', PredicateType[type], image(variant)];
          const { status, stderr } = await run(goTool('cosign'), ['verify-attestation', ...args], {
            cwd: folder,
          });
          assert.equal(status, 0, `${variant} ${type}: ${stderr}`);
        }
      }
    });
  });
}

const OFFLINE = ['--insecure-ignore-tlog=true', '--allow-http-registry', '--offline=true'];
