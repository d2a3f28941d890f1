import { gzipSync } from 'node:zlib';
import apache from 'spdx-license-list/licenses/Apache-2.0.json' with { type: 'json' };
import { parseConfig } from '../../src/config/load-config.ts';
import type { Variant } from '../../src/config/types.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { errorFromJson } from '../../src/core/errors.ts';
import type { ProgressEvent } from '../../src/core/events.ts';
import { Limiter } from '../../src/core/pool.ts';
import { HttpClient } from '../../src/http/client.ts';
import { createHub } from '../../src/hub/create-hub.ts';
import { assembleModel } from '../../src/image/assemble-model.ts';
import type { BootstrapFile, ModelSigner } from '../../src/image/types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { type ImageConfig, type Manifest, MediaType } from '../../src/oci/types.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { PlannedModel } from '../../src/plan/types.ts';
import { previewPlan } from '../../src/publish/preview.ts';
import { publishModel } from '../../src/publish/publish-model.ts';
import { RunCache, type Sibling } from '../../src/publish/run-cache.ts';
import type { LayerIndex } from '../../src/publish/target/layer-index.ts';
import type { BlobWorkers } from '../../src/publish/transfer/blob-job.ts';
import { backOffAtRateLimits } from '../../src/publish/transfer/rate-limit-backoff.ts';
import type { ImageOutcome, ImageSigning } from '../../src/publish/types.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { RegistryClient } from '../../src/store/registry/registry-client.ts';
import { RegistryStore } from '../../src/store/registry/registry-store.ts';
import { type EmbeddedHub, type HubOptions, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../src/testkit/registry.ts';

export const BASE_REPOSITORY = 'vllm/vllm-openai';
export const LOGIN = { user: 'robot', password: 'pässword' };

export const BOOTSTRAP = [
  { path: 'bootstrap', text: '#!/usr/bin/env python3\n', isExecutable: true },
  { path: 'modules/one.py', text: 'import os\n', isExecutable: false },
];

/** The two kinds of registries, by whether they list what is attached to an image. */
export const REGISTRIES = [
  ['a registry that lists referrers', true],
  ['a registry that does not, as GHCR', false],
] as const;

/** A Hub and registries of this test alone, and Weighbridge wired to them without its command line. */
export class World {
  readonly hub: EmbeddedHub;
  readonly registries: readonly EmbeddedRegistry[];
  readonly events: ProgressEvent[] = [];
  readonly blobSlots = new Limiter(4);
  readonly #backOffAtRateLimits = backOffAtRateLimits(this.blobSlots);
  readonly #http: HttpClient;

  constructor(hub: EmbeddedHub, registries: readonly EmbeddedRegistry[], idleTimeoutMs = 2000) {
    this.hub = hub;
    this.registries = registries;
    this.#http = new HttpClient({ retry: { baseMs: 1, attempts: 3 }, idleTimeoutMs });
  }

  /** For what tells of events, worker threads too. */
  hear(event: ProgressEvent): void {
    this.events.push(event);
    this.#backOffAtRateLimits(event);
  }

  /** The first registry also holds the base image. */
  static async start(...options: RegistryOptions[]): Promise<World> {
    return await World.startWith({}, ...options);
  }

  static async startWith(
    { idleTimeoutMs, hub }: { readonly idleTimeoutMs?: number; readonly hub?: HubOptions },
    ...options: RegistryOptions[]
  ): Promise<World> {
    const registries = await Promise.all((options.length > 0 ? options : [{}]).map(startRegistry));
    const world = new World(await startHub(hub), registries, idleTimeoutMs);
    putBase(world.registry(0), 'v0.6.0');
    return world;
  }

  registry(index: number): EmbeddedRegistry {
    return this.registries[index] as EmbeddedRegistry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    await Promise.all([this.hub.close(), ...this.registries.map(registry => registry.close())]);
  }

  /** `models.yaml` for one model, published to all registries (or to those at `hosts`) as `r0`, `r1`, …. */
  config(model: string, more = '', hosts = this.registries.map(({ host }) => host)): string {
    const registries = hosts.map((host, i) => `  r${i}: ${host}/acme\n`).join('');
    const base = `${this.registry(0).host}/${BASE_REPOSITORY}:v0.6.0`;
    return `registries:\n${registries}defaults:\n  base_image: ${base}\nmodels:\n  - id: ${model}\n    short: x\n${more}`;
  }

  async plan(yaml: string, token?: string): Promise<PlannedModel> {
    const config = parseConfig(yaml, 'models.yaml');
    const { models } = await makePlan(config, config.models, {
      hub: this.#hub(token),
      targets: 'required',
      overrides: {},
      env: {},
    });
    const [model] = models;
    if (model?.kind === 'unresolved') throw errorFromJson(model.error);
    if (model === undefined) throw new TypeError('a plan of one model has none');
    return model;
  }

  async publish(yaml: string, options: PublishOptions = {}): Promise<readonly SeenImage[]> {
    return await this.publishPlanned(await this.plan(yaml), options);
  }

  async publishPlanned(planned: PlannedModel, options: PublishOptions = {}): Promise<readonly SeenImage[]> {
    const targets = planned.targets.map(({ registry, repository }) => ({
      registry,
      store: this.open(repository),
    }));
    const { signal, workers, variants = ['slim', 'fat'], isForced = false, bootstrap = BOOTSTRAP } = options;
    const openBase = (name: string): ImageStore => this.open(name, 'pull');
    const cache = new RunCache({ openBase, signal });
    cache.noteSiblings(options.siblings ?? []);
    const onEvent = (event: ProgressEvent): void => this.hear(event);
    const { movesTags } = options;
    const { modelSigner } = options;
    const common = { variants, isForced, movesTags, cache, bootstrap, modelSigner, onEvent, signal };
    if (options.isDryRun) {
      const [preview] = await previewPlan([planned], { ...common, targetsOf: () => targets });
      return preview?.images ?? [];
    }
    const assembled = await assembleModel(planned, {
      ...common,
      baseImage: cache.baseImage,
      pathOver: cache.pathOver,
    });
    const { hub, blobSlots } = { hub: this.#hub(), blobSlots: this.blobSlots };
    const { signing, layerIndex } = options;
    const context = { ...common, hub, openBase, blobSlots, workers, signing, layerIndex };
    const outcome = await publishModel(assembled, targets, context);
    return outcome.images;
  }

  open(name: string, access: 'pull' | 'push' = 'push'): ImageStore {
    const { registry, repository } = parseReference(name);
    const credential = async () => ({
      kind: 'basic' as const,
      username: LOGIN.user,
      password: LOGIN.password,
    });
    return new RegistryStore(
      new RegistryClient({ http: this.#http, registry, credential }),
      repository,
      access,
    );
  }

  manifest(registry: number, tag: string, repository = 'acme/hf-x'): Manifest {
    const stored = this.registry(registry).manifest(repository, tag);
    if (stored === undefined) throw new Error(`no ${repository}:${tag} in registry ${registry}`);
    return JSON.parse(stored.bytes.toString('utf8'));
  }

  async imageConfig(registry: number, tag: string): Promise<ImageConfig> {
    const bytes = await this.registry(registry).readBlob(this.manifest(registry, tag).config.digest);
    return JSON.parse(String(bytes));
  }

  /** The Hub as the program sees it. */
  hubClient() {
    return this.#hub();
  }

  #hub(token?: string) {
    return createHub({
      endpoint: this.hub.url,
      http: this.#http,
      readAttempts: 4,
      ...(token ? { token } : {}),
    });
  }
}

/** An outcome with what any of its kinds may have, for tests that do not know which it is. */
export type SeenImage = ImageOutcome & {
  readonly digest?: Digest;
  readonly reason?: string;
  readonly error?: unknown;
};

export interface PublishOptions {
  readonly signing?: ImageSigning;
  readonly modelSigner?: ModelSigner;
  readonly variants?: readonly Variant[];
  readonly isDryRun?: boolean;
  readonly isForced?: boolean;
  readonly movesTags?: boolean;
  readonly workers?: BlobWorkers;
  readonly signal?: AbortSignal;
  readonly siblings?: readonly Sibling[];
  readonly layerIndex?: LayerIndex;
  /** In place of the stand-in, for what a command is to verify. */
  readonly bootstrap?: readonly BootstrapFile[];
}

/** A model of three weight files and small ones, with a permissive card. */
export const MODEL_FILES = {
  'README.md': '---\nlicense: apache-2.0\n---\n# x\n',
  LICENSE: apache.licenseText,
  'config.json': '{"model_type":"llama"}',
  'tokenizer_config.json': '{}',
  'model-00001-of-00003.safetensors': Buffer.alloc(300_000, 1),
  'model-00002-of-00003.safetensors': Buffer.alloc(200_000, 2),
  'model-00003-of-00003.safetensors': Buffer.alloc(100_001, 3),
  'pytorch_model.bin': Buffer.alloc(50_000, 4),
};

/** Puts a small image where the base is expected; `content` makes it another image. */
export function putBase(
  registry: EmbeddedRegistry,
  tag: string,
  content = 'base',
  entrypoint = ['vllm', 'serve'],
): void {
  const layers = ['os', content].map(text => {
    const header = tarEntryHeader({ path: `etc/${text}`, mode: 0o644, sizeBytes: text.length, type: 'file' });
    const tar = Buffer.concat([
      header,
      Buffer.from(text),
      Buffer.alloc(paddingFor(text.length)),
      END_OF_ARCHIVE,
    ]);
    return { tar, gzip: gzipSync(tar) };
  });
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-02T03:04:05Z',
      docker_version: '24.0',
      config: {
        Env: ['PATH=/usr/bin', 'HF_HOME=/old'],
        WorkingDir: '/vllm-workspace',
        Entrypoint: entrypoint,
        Cmd: ['x'],
        Labels: { maintainer: 'them' },
      },
      rootfs: { type: 'layers', diff_ids: layers.map(layer => digestOf(layer.tar)) },
      history: layers.map((_, i) => ({ created_by: `step ${i}` })),
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.dockerManifest,
      config: { mediaType: MediaType.dockerConfig, digest: digestOf(config), size: config.length },
      layers: layers.map(({ gzip }) => ({
        mediaType: MediaType.dockerLayerGzip,
        digest: digestOf(gzip),
        size: gzip.length,
      })),
    }),
  );
  registry.putImage(BASE_REPOSITORY, tag, {
    blobs: [...layers.map(layer => layer.gzip), config],
    manifests: [{ mediaType: MediaType.dockerManifest, bytes: manifest }],
  });
}
