import { execa } from 'execa';
import { loadConfig } from '../../../config/load-config.ts';
import { InvalidConfigError } from '../../../config/problems.ts';
import type { Config } from '../../../config/types.ts';
import { withoutSecrets } from '../../../core/child-env.ts';
import { isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { mapPool } from '../../../core/pool.ts';
import { tokenSource } from '../../../hub/hub-from-env.ts';
import { parseReference } from '../../../oci/reference.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import { counted } from '../../../report/layout/text-layout.ts';
import { Trivy } from '../../../scan/trivy.ts';
import type { HostCertificates } from '../../../store/registry/host-certificates.ts';
import type { CommonOptions } from '../../options.ts';
import { createRunCache } from '../../run-cache.ts';
import type { Session } from '../../session.ts';
import { detectGpu, findEngine } from '../run/container-engine.ts';
import type { Checkup } from './types.ts';

const AT_ONCE = 4;
/** Enough to see that the Hub answers and a token opens what it should. */
const MODELS_ASKED = 3;
/** No image has this tag; asking for it shows whether the login may write. */
const ABSENT_TAG = 'weighbridge-doctor';
/** The name of the check says it in other words. */
const PROBE_PURPOSE = new RegExp(`^resolving the tag ${ABSENT_TAG} of \\S+: `);
const ANSWER_TIMEOUT_MS = 20_000;
/** Of the upload that is begun and cancelled. */
const PROBE_BYTES = 1;

/** Returns what was found, in the order in which a publish needs it. */
export async function runCheckups(session: Session, options: CommonOptions): Promise<Checkup[]> {
  const [[file, config], hub] = await Promise.all([checkFile(options), checkHub(session)]);
  // With no Hub, each model would only say so once more.
  const models = config === undefined || hub.status === 'failed' ? [] : modelChecks(session, config);
  const others = config === undefined ? [] : checksOf(session, config, options);
  const ofConfig = await mapPool([...models, ...others], AT_ONCE, check => check());
  const tools = await mapPool(toolChecks(session), AT_ONCE, check => check());
  return [node(), authorities(session), file, hub, ...ofConfig, ...tools];
}

/** Also if no model can be asked for: a wrong token is the first thing to know. */
async function checkHub({ services, env, signal }: Session): Promise<Checkup> {
  return await tried({ signal }, 'Hub', async () => {
    const { hub } = services;
    const account = await hub.whoAmI(signal);
    if (account === undefined)
      return `${hub.endpoint} answers; no token is set (HF_TOKEN), so only public models can be read, at lower limits`;
    const role = account.role === undefined ? '' : `, with the right to ${account.role}`;
    return `${hub.endpoint} answers; the token in ${tokenSource(env)} is ${account.name}'s${role}`;
  });
}

function node(): Checkup {
  return { name: 'Node.js', status: 'ok', detail: process.versions.node };
}

/** Whom HTTPS connections trust. */
function authorities({ services, env }: Session): Checkup {
  const { sources, troubles } = services.http.systemAuthorities;
  const extra = env.NODE_EXTRA_CA_CERTS;
  const all = ['Node.js', ...(extra ? [`NODE_EXTRA_CA_CERTS: ${extra}`] : []), ...sources];
  const common = {
    name: 'certificate authorities',
    detail: [`those of ${all.join(', ')}`, ...troubles].join('; '),
  };
  if (troubles.length === 0) return { ...common, status: 'ok' };
  return {
    ...common,
    status: 'note',
    remedy: 'Only connections to servers with such a certificate are affected.',
  };
}

async function checkFile({ config: file, registry }: CommonOptions): Promise<[Checkup, Config | undefined]> {
  try {
    const config = await loadConfig(file, { extraRegistries: Object.keys(registry ?? {}) });
    const count = config.models.length;
    return [{ name: file, status: 'ok', detail: counted(count, 'model') }, config];
  } catch (error) {
    if (!(error instanceof WeighbridgeError)) throw error;
    const remedy =
      error instanceof InvalidConfigError
        ? 'Show each problem with its place: weighbridge validate.'
        : error.remedy;
    return [failed(file, withoutName(file, firstLine(error.message)), remedy), undefined];
  }
}

function modelChecks(session: Session, { models }: Config): (() => Promise<Checkup>)[] {
  return models.slice(0, MODELS_ASKED).map(
    model => () =>
      tried(session, `Hub, ${model.id}`, async () => {
        const { gated, revision } = await session.services.hub.getModel(
          model.id,
          model.revision,
          session.signal,
        );
        return `readable at ${revision.slice(0, 12)}${gated === false ? '' : ', gated'}`;
      }),
  );
}

function checksOf(session: Session, config: Config, options: CommonOptions): (() => Promise<Checkup>)[] {
  session.services.connect(config.connections);
  const choice = { overrides: options.registry ?? {}, env: session.env };
  const repositories = new Map<string, string>();
  const missing = new Set<string>();
  for (const model of config.models) {
    const { targets, withoutPrefix } = chooseTargets(config, model, choice);
    for (const { registry, repository } of targets)
      if (!repositories.has(registry)) repositories.set(registry, repository);
    for (const key of withoutPrefix) missing.add(key);
  }
  const bases = new Map(
    config.models.flatMap(({ baseImage, arch }) =>
      arch.map(one => [`${baseImage} ${one}`, { baseImage, platform: one }]),
    ),
  );
  const cache = createRunCache(session, ANSWER_TIMEOUT_MS);
  return [
    ...[...missing].map(
      key => async () =>
        failed(
          `registry ${key}`,
          'no prefix is configured',
          `Add it to \`registries\` in ${config.file}, or pass --registry ${key}=<prefix>.`,
        ),
    ),
    ...[...repositories].map(
      ([key, repository]) =>
        () =>
          checkRegistry(session, key, repository),
    ),
    ...[...bases.values()].map(
      ({ baseImage, platform }) =>
        () =>
          tried(session, `base image ${baseImage}`, async () => {
            const { layers, digest } = await cache.baseImage(baseImage, platform);
            return `${platform}, ${counted(layers.length, 'layer')}, ${digest.slice(0, 19)}`;
          }),
    ),
  ];
}

async function checkRegistry(session: Session, key: string, repository: string): Promise<Checkup> {
  const { registry, repository: path } = parseReference(repository);
  return await tried(session, `registry ${key}`, async () => {
    const login = await session.services.credentials(registry, path);
    const store = session.services.openRepository(repository, 'push');
    await store.resolveTag(ABSENT_TAG, session.signal);
    // A token is often given for less than was asked: only an upload shows whether it may push. Nothing comes of it.
    const upload = await store.startUpload({ sizeBytes: PROBE_BYTES, signal: session.signal });
    await upload.abort();
    const how = login === undefined ? 'without a login; it asks for none' : 'with the login that was found';
    return `${registry} accepts pushes to ${path} ${how}${certificatesText(session.services.certificatesFor(registry))}`;
  });
}

function certificatesText(certificates: HostCertificates | undefined): string {
  if (certificates === undefined) return '';
  const { folder, ca, identity, troubles } = certificates;
  const has = [
    ...(ca === undefined ? [] : ['authorities']),
    ...(identity === undefined ? [] : ['a client certificate']),
  ];
  return [`; ${has.join(' and ') || 'nothing'} in ${folder}`, ...troubles].join('; ');
}

function toolChecks(session: Session): (() => Promise<Checkup>)[] {
  const { env, signal } = session;
  return [
    () =>
      noted('container engine', 'Only `run` needs one: install Docker or Podman.', async () => {
        const { words } = await findEngine({ wanted: undefined, env, signal });
        return words.join(' ');
      }),
    async () => {
      const gpu = await detectGpu({ env });
      return { name: 'GPU', status: 'note', detail: gpu ?? 'none on this machine; only `run` would use it' };
    },
    () =>
      noted('Trivy', 'Only `scan` needs it: https://trivy.dev', async () => {
        const { version, databaseDate } = await new Trivy('trivy', env, signal).version();
        const database =
          databaseDate === null ? 'the first scan fetches its database' : `database of ${databaseDate}`;
        return `${version}; ${database}`;
      }),
    () =>
      noted('cosign', 'Not needed to sign or verify with Weighbridge.', async () => {
        const { stdout } = await execa('cosign', ['version'], {
          env: withoutSecrets(env),
          extendEnv: false,
          timeout: ANSWER_TIMEOUT_MS,
        });
        return /GitVersion:\s*(\S+)/.exec(stdout)?.[1] ?? 'installed';
      }),
  ];
}

async function tried(
  { signal }: Pick<Session, 'signal'>,
  name: string,
  check: () => Promise<string>,
): Promise<Checkup> {
  try {
    return { name, status: 'ok', detail: await check() };
  } catch (error) {
    if (isAbort(error) || signal.aborted || !(error instanceof WeighbridgeError)) throw error;
    const message = firstLine(error.message).replace(PROBE_PURPOSE, '');
    // Written for a publish that was stopped by it.
    return failed(name, message, error.remedy?.replace(/, then publish again\b.*/s, '.'));
  }
}

/** For what a publish does without. */
async function noted(name: string, remedy: string, check: () => Promise<string>): Promise<Checkup> {
  try {
    return { name, status: 'ok', detail: await check() };
  } catch (error) {
    if (isAbort(error)) throw error;
    return { name, status: 'note', detail: 'not found', remedy };
  }
}

function failed(name: string, detail: string, remedy: string | undefined): Checkup {
  return { name, status: 'failed', detail, ...(remedy === undefined ? {} : { remedy }) };
}

/** The name is in front already: `models.yaml:8:5: …` becomes `line 8: …`. */
function withoutName(file: string, message: string): string {
  const place = message.startsWith(`${file}:`)
    ? /^(\d+):\d+: (.*)/.exec(message.slice(file.length + 1))
    : null;
  return place === null ? message : `line ${place[1]}: ${place[2]}`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
