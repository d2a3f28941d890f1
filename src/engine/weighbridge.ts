import { signatureDifferences } from '../attest/check-statement.ts';
import type { Config, Variant } from '../config/types.ts';
import { VARIANTS } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import { broadcastEvents, type EventBroadcast } from '../core/event-broadcast.ts';
import type { OnEvent } from '../core/events.ts';
import { readImages, readModelFiles } from '../image/published-image.ts';
import { verifyImage } from '../inspect/verify-image.ts';
import { parseReference } from '../oci/reference.ts';
import { makePlan } from '../plan/make-plan.ts';
import { type Plan, type PlannedModel, plannedModels } from '../plan/types.ts';
import { publishPlan } from '../publish/publish-plan.ts';
import { RunCache } from '../publish/run-cache.ts';
import type { PublishOutcome, PublishTarget } from '../publish/types.ts';
import { type InspectJson, inspectToJson } from '../report/json/inspect-json.ts';
import { type VerifyJson, verifyToJson } from '../report/json/verify-json.ts';
import type { FindCredential } from '../store/auth/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { openLayout } from '../store/local/layout.ts';
import { listReferrers } from '../store/referrers.ts';
import { createBlobWorkers } from './blob-workers.ts';
import { layoutTargets } from './layout-targets.ts';
import { createServices, type Services } from './services.ts';
import { fileSigner, publishSigning, upstreamCheck } from './signing.ts';

/** What `createWeighbridge` takes. Everything is optional. */
export interface WeighbridgeOptions {
  /** Variables that Weighbridge reads (docs/environment.md). Default: none, so that nothing is taken from the process unasked. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Logins of registries, in place of login files and variables. */
  readonly credentials?: FindCredential;
  /** Told of progress, retries and warnings. */
  readonly onEvent?: OnEvent;
  /** Stops all work: what is under way rejects with InterruptedError, and no tag is left half moved. */
  readonly signal?: AbortSignal;
}

/** Which models of a file are planned, and how. */
export interface PlanChoice {
  /** Only these models, by id or short. Default: all. */
  readonly models?: readonly string[];
  /** Prefixes by registry key, in place of those of the file. */
  readonly registries?: Readonly<Record<string, string>>;
}

/** What of a plan is published, and how. */
export interface PublishChoice {
  /** Only these variants. Default: all that the plan builds. */
  readonly variants?: readonly Variant[];
  /** Ignores what is published and uploads everything again. */
  readonly isForced?: boolean;
  /** Moves tags too that stay with their image (docs/images.md). `isForced` and a layout do so anyway. */
  readonly movesTags?: boolean;
  /** `oci:<folder>`: into OCI image layouts, in place of the registries of the plan. */
  readonly to?: string;
  /** The file that the plan is from: its `signing:` is followed. Default: that of a plan which this Weighbridge has made. */
  readonly config?: Config;
}

/** Weighbridge as a library. */
export interface Weighbridge extends AsyncDisposable {
  /** Resolves models on the Hub and decides what may be published. A model that cannot be resolved is in the plan with its error. */
  plan(config: Config, choice?: PlanChoice): Promise<Plan>;
  /** Publishes what the plan says. Returns an outcome for each model; a failed image is an outcome, not an exception. */
  publish(plan: Plan, choice?: PublishChoice): Promise<PublishOutcome[]>;
  /** Reads what an image is, by its reference or `oci:<folder>:<tag>`. Throws RegistryError. */
  inspect(image: string): Promise<InspectJson>;
  /**
   * Compares an image with the Hub and with what it should be; `isDeep` reads and hashes every byte. `config` is the
   * models.yaml that it was published from, if that sets more than the image records. Throws RegistryError, HubError.
   */
  verify(
    image: string,
    options?: { readonly isDeep?: boolean; readonly config?: Config | undefined },
  ): Promise<VerifyJson>;
  /** Closes connections. */
  close(): void;
}

/**
 * Returns Weighbridge with servers and logins of its own. Errors are WeighbridgeErrors with a stable `code`; close it, or
 * declare it with `await using`.
 */
export function createWeighbridge(options: WeighbridgeOptions = {}): Weighbridge {
  const { signal } = options;
  const env = { ...options.env };
  const events = broadcastEvents(options.onEvent);
  const { onEvent } = events;
  const services = createServices(env, onEvent, options.credentials);
  const configs = new WeakMap<Plan, Config>();
  const close = (): void => services.http.close();
  return {
    async plan(config, { models, registries = {} } = {}) {
      services.connect(config.connections);
      const plan = await makePlan(config, chosen(config, models), {
        hub: services.hub,
        targets: 'optional',
        overrides: registries,
        env,
        onEvent,
        ...(signal && { signal }),
      });
      configs.set(plan, config);
      return plan;
    },
    publish: (plan, choice = {}) =>
      publishChoice(
        plan,
        { ...choice, config: choice.config ?? configs.get(plan) },
        { env, services, events, signal },
      ),
    async inspect(image) {
      const { store, reference } = await openImage(services, image);
      const images = [];
      for (const one of await readImages(store, reference, signal)) {
        const files = await readModelFiles(store, one, { signal });
        images.push({ image: one, files, referrers: await listReferrers(store, one.digest, { signal }) });
      }
      return inspectToJson({ reference: image, repository: store.name, images });
    },
    async verify(image, { isDeep = false, config } = {}) {
      const { store, reference } = await openImage(services, image);
      const openBase = (name: string) => services.openRepository(name, 'pull');
      const { baseImage: readBase } = new RunCache({ openBase, signal });
      const checkSignature = signatureDifferences;
      const rebuild = { bootstrap: services.bootstrap, readBase, config, checkSignature };
      const checks = await verifyImage(store, reference, { hub: services.hub, isDeep, rebuild, signal });
      return verifyToJson([{ reference: image, checks }], { isDeep });
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

interface Run {
  readonly env: NodeJS.ProcessEnv;
  readonly services: Services;
  readonly events: EventBroadcast;
  readonly signal: AbortSignal | undefined;
}

async function publishChoice(
  plan: Plan,
  {
    variants = VARIANTS,
    isForced = false,
    movesTags,
    to,
    config,
  }: Omit<PublishChoice, 'config'> & { readonly config: Config | undefined },
  { env, services, events, signal }: Run,
): Promise<PublishOutcome[]> {
  const models = plannedModels(plan);
  const targetsOf =
    to === undefined ? registryTargets(services) : layoutTargets(folderOf(to), plan.models.length);
  const { onEvent, listen } = events;
  const surroundings = { env, services, onEvent, signal };
  const signing = config && to === undefined ? await publishSigning(surroundings, config, {}) : undefined;
  const modelSigner = signing?.modelSigner ?? (config && (await fileSigner(surroundings, config)));
  const admit = config && (await upstreamCheck(surroundings, config));
  const openBase = (name: string) => services.openRepository(name, 'pull');
  const workers = createBlobWorkers({ env, services, onEvent });
  try {
    return await publishPlan(models, {
      movesTags: movesTags === true || to !== undefined,
      variants,
      isForced,
      targetsOf,
      workers,
      onEvent,
      listen,
      signal,
      signing,
      modelSigner,
      openBase,
      admit,
      hub: services.hub,
      bootstrap: services.bootstrap,
      layerIndex: services.layerIndex,
      cache: new RunCache({ openBase, signal }),
    });
  } finally {
    await workers.close();
  }
}

function chosen(config: Config, names: readonly string[] | undefined): Config['models'] {
  if (names === undefined) return config.models;
  const isNamed = (name: string) => (model: Config['models'][number]) =>
    model.short === name || model.id.toLowerCase() === name.toLowerCase();
  const unknown = names.find(name => !config.models.some(isNamed(name)));
  if (unknown !== undefined) {
    throw new ConfigError(`${config.file} has no model ${JSON.stringify(unknown)}`, {
      code: 'USAGE',
      subject: unknown,
      remedy: 'Name models by id or short.',
    });
  }
  return config.models.filter(model => names.some(name => isNamed(name)(model)));
}

function registryTargets(services: Services): (planned: PlannedModel) => readonly PublishTarget[] {
  return ({ targets }) =>
    targets.map(({ registry, repository }) => ({
      registry,
      store: services.openRepository(repository, 'push'),
    }));
}

function folderOf(to: string): string {
  const [, folder] = /^oci:(.+)$/.exec(to) ?? [];
  if (folder !== undefined) return folder;
  throw new ConfigError(`expected oci:<folder>, got ${JSON.stringify(to)}`, { code: 'USAGE', subject: to });
}

async function openImage(
  services: Services,
  image: string,
): Promise<{ readonly store: ImageStore; readonly reference: string }> {
  const [, folder, tag] = /^oci:(.+?):([\w][\w.-]*)$/.exec(image) ?? [];
  if (folder !== undefined && tag !== undefined) return { store: await openLayout(folder), reference: tag };
  const { registry, repository, tag: named, digest } = parseReference(image);
  const store = services.openRepository(`${registry}/${repository}`, 'pull');
  return { store, reference: digest ?? named ?? 'latest' };
}
