import type { Variant } from '../../../config/types.ts';
import { holdsWeights } from '../../../config/variants.ts';
import { isLoopbackHost } from '../../../http/hosts.ts';
import type { EngineKind, GpuKind } from './container-engine.ts';
import { type MountedVolume, volumeText } from './run-volume.ts';

/** Everything that the command line of a container is made from. */
export interface RunInputs {
  readonly engine: EngineKind;
  readonly image: string;
  /** For vLLM, behind what the image has. */
  readonly args: readonly string[];
  /** Whether its registry is spoken to in plain HTTP, which podman has to be told. */
  readonly isPlainHttp?: boolean;
  /** Whether the image starts vLLM itself, as one with weights does: then a command takes the place of that. */
  readonly isServerEntrypoint: boolean;
  /** Where vLLM listens in the container. */
  readonly containerPort: number;
  /** `[address:]port` on this machine; the container's own number where undefined. */
  readonly port: string | undefined;
  readonly volume: MountedVolume | undefined;
  /** Names of variables; their values stay in the environment, where no list of processes shows them. */
  readonly variables: readonly string[];
  readonly gpu: GpuKind | undefined;
  readonly mode: 'terminal' | 'plain' | 'detached';
  readonly name: string | undefined;
  /** Flags of docker or podman, one a word. */
  readonly engineArgs: readonly string[];
}

/** Returns the arguments after `docker` or `podman`. */
export function runArguments(inputs: RunInputs): string[] {
  const { engineArgs, mode, volume, name } = inputs;
  const { flags, args } = portArguments(inputs);
  const [first] = inputs.args;
  // A slim image runs a command in place of the server; the entrypoint of a fat one is the server.
  const program =
    inputs.isServerEntrypoint && first !== undefined && !first.startsWith('-') ? first : undefined;
  return [
    'run',
    '--rm',
    ...(mode === 'terminal' ? ['-it'] : []),
    ...(mode === 'detached' ? ['-d'] : []),
    ...(name === undefined ? [] : ['--name', name]),
    ...(inputs.isPlainHttp && inputs.engine === 'podman' && !hasEngineFlag(engineArgs, '--tls-verify')
      ? ['--tls-verify=false']
      : []),
    ...flags,
    ...(volume === undefined ? [] : ['-v', volumeText(volume)]),
    ...inputs.variables.flatMap(variable => ['-e', variable]),
    ...(hasGpuFlag(engineArgs) ? [] : gpuFlags(inputs)),
    // vLLM's workers talk through shared memory, of which a container has 64 MB. Podman takes only one of the two.
    ...(hasEngineFlag(engineArgs, '--ipc') || hasEngineFlag(engineArgs, '--shm-size') ? [] : ['--ipc=host']),
    ...engineArgs,
    ...(program === undefined ? [] : ['--entrypoint', program]),
    inputs.image,
    ...(program === undefined ? [...inputs.args, ...args] : inputs.args.slice(1)),
  ];
}

/** Returns the URL at which the server answers, as far as this machine can tell. */
export function serverAddress(inputs: Pick<RunInputs, 'port' | 'containerPort'>): string {
  const [, address = 'localhost', port = String(inputs.containerPort)] = splitPort(inputs.port);
  return `http://${/^(0\.0\.0\.0|\[::\])$/.test(address) ? 'localhost' : address}:${port}`;
}

/**
 * Returns the names of the variables that a container gets. A slim image asks the Hub and may need a token; a fat one
 * has all it needs, so it gets no secret.
 */
export function passedVariables(env: NodeJS.ProcessEnv, variant: Variant): string[] {
  const names = holdsWeights(variant) ? PROXY_VARIABLES : [...HUB_VARIABLES, ...PROXY_VARIABLES];
  return names.filter(name => env[name]);
}

/** Returns those variables whose value is this machine's loopback address: in a container that is the container itself. */
export function loopbackVariables(env: NodeJS.ProcessEnv, names: readonly string[]): string[] {
  return names.filter(name => isLoopbackHost(URL.parse(env[name] ?? '')?.hostname ?? ''));
}

/** Whether `engineArgs` choose GPUs themselves. */
export function hasGpuFlag(engineArgs: readonly string[]): boolean {
  return hasEngineFlag(engineArgs, '--gpus') || engineArgs.some(arg => arg.includes('nvidia.com/gpu='));
}

/** Returns whether flags of the engine give the container the network of this machine. */
export function usesHostNetwork(engineArgs: readonly string[]): boolean {
  return networkOf(engineArgs) === 'host';
}

const HUB_VARIABLES = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_ENDPOINT', 'WEIGHBRIDGE_PLAIN_HTTP_TOKEN'];
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap(name => [
  name,
  name.toLowerCase(),
]);

function portArguments(inputs: RunInputs): { flags: string[]; args: string[] } {
  const { port, containerPort, engineArgs } = inputs;
  const network = networkOf(engineArgs);
  const [, , number = String(containerPort)] = splitPort(port);
  if (network === 'host') {
    // Nothing is published then: the server itself has to listen where it was asked to.
    return { flags: [], args: Number(number) === containerPort ? [] : ['--port', number] };
  }
  const isClosed = network === 'none' || network?.startsWith('container:');
  return { flags: isClosed ? [] : ['-p', `${port ?? containerPort}:${containerPort}`], args: [] };
}

/** `127.0.0.1:8000` as address and number. */
function splitPort(port: string | undefined): (string | undefined)[] {
  return /^(?:(.+):)?(\d+)$/.exec(port ?? '') ?? [];
}

function gpuFlags({ gpu, engine }: RunInputs): string[] {
  if (gpu === 'amd') return ['--device', '/dev/kfd', '--device', '/dev/dri'];
  if (gpu === undefined) return [];
  return engine === 'docker' ? ['--gpus', 'all'] : ['--device', 'nvidia.com/gpu=all'];
}

function hasEngineFlag(args: readonly string[], name: string): boolean {
  return args.some(arg => arg === name || arg.startsWith(`${name}=`));
}

/** The value of `--network`; the last one counts. */
function networkOf(args: readonly string[]): string | undefined {
  return args
    .map((arg, index) => {
      const match = /^--net(?:work)?(?:=(.*))?$/.exec(arg);
      return match === null ? undefined : (match[1] ?? args[index + 1]);
    })
    .findLast(value => value !== undefined);
}
