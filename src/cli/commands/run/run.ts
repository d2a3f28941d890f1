import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { holdsWeights, USUAL_VARIANTS } from '../../../config/variants.ts';
import { ConfigError } from '../../../core/errors.ts';
import { shellQuote } from '../../../core/text.ts';
import { isLoopbackHost } from '../../../http/hosts.ts';
import { servePort } from '../../../image/assemble/serve-command.ts';
import { parseReference } from '../../../oci/reference.ts';
import {
  type AdHocOptions,
  chooseModels,
  collect,
  readConfig,
  withAdHocModel,
  withConfig,
  withRegistries,
} from '../../options.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import {
  type ContainerEngine,
  detectGpu,
  findEngine,
  type GpuKind,
  loadArguments,
  parseEngine,
  runContainer,
} from './container-engine.ts';
import {
  hasGpuFlag,
  loopbackVariables,
  passedVariables,
  type RunInputs,
  runArguments,
  serverAddress,
  usesHostNetwork,
} from './run-arguments.ts';
import { type ChosenImage, chooseImage, type ImageOptions, type KnownModel } from './run-image.ts';
import { parseVolume, type Volume } from './run-volume.ts';

interface RunOptions extends ImageOptions, AdHocOptions {
  readonly engine?: string;
  readonly port?: string;
  readonly volume: string;
  readonly name?: string;
  readonly detach?: boolean;
  readonly gpus: 'auto' | 'all' | 'none';
  readonly engineArg?: readonly string[];
}

/** For an image that no entry of a file is known of: what the file has if nothing is written. */
const UNKNOWN_MODEL = { downloadRoot: '/models', serveArgs: [] };

/** Adds `weighbridge run` to the program. */
export function addRun(program: Command): void {
  const command = withAdHocModel(withConfig(program.command('run [short] [args...]')));
  withRegistries(command, 'use the image from this registry')
    .usage('[options] [short] [-- <vllm args…>]')
    .description('run an image with Docker or Podman, whichever is installed')
    .addOption(
      new Option(
        '--variant <variant>',
        'slim downloads the weights into --volume at the first start',
      ).choices([...USUAL_VARIANTS]),
    )
    .option('--image <reference>', 'run this image instead of one from models.yaml')
    .option('--archive <file>', 'load this Docker archive first, then run its image')
    .option('--engine <command>', 'docker, podman, or a command that includes one: "sudo docker"')
    .option(
      '-p, --port <[address:]number>',
      "the port on this machine (default: the server's port)",
      parsePort,
    )
    .option('-v, --volume <dir or name>', 'where a slim image keeps its weights', './models')
    .option('--name <name>', "the container's name")
    .option('-d, --detach', 'run in the background and print the container id')
    .addOption(
      new Option('--gpus <which>', 'auto detects NVIDIA and AMD')
        .choices(['auto', 'all', 'none'])
        .default('auto'),
    )
    .option(
      '--engine-arg <arg>',
      'an extra flag for `docker run`, e.g. --engine-arg=--network=host; repeatable',
      collect,
    )
    .option('--print', 'print the command and exit')
    .addHelpText('after', HELP)
    .action((_short: string | undefined, _args: readonly string[], options: RunOptions, self: Command) =>
      runSession(options, session => {
        const { name, args } = splitOperands(self.args, process.argv);
        return run(session, name, args, options);
      }),
    );
}

const HELP = `
Examples:
  weighbridge run qwen25-05b                              the slim image; downloads weights to ./models
  weighbridge run qwen25-05b --variant fat -p 9000        the fat one, at http://localhost:9000/v1
  weighbridge run qwen25-05b -- --max-model-len 4096      arguments after -- go to vLLM
  weighbridge run --image ghcr.io/acme/hf-x:v0.6.0-fat    without a models.yaml
  weighbridge run qwen25-05b --archive slim.tar           an image from \`build --output docker-archive:slim.tar\`
  weighbridge run qwen25-05b --print                      print the docker command
  weighbridge run qwen25-05b --engine "podman --runtime crun" -v weights -p 127.0.0.1:8000

Slim images receive HF_TOKEN, HUGGING_FACE_HUB_TOKEN and HF_ENDPOINT; all images receive HTTPS_PROXY and the other proxy
variables. They are passed by name, so no value appears on a command line. The exit status is the container's. Ctrl-C
stops it. More: docs/run.md`;

async function run(
  session: Session,
  short: string | undefined,
  args: readonly string[],
  options: RunOptions,
): Promise<number> {
  const known = await findModel(session, short, options);
  const engine = await engineFor(session, options);
  const volume = parseVolume(options.volume, process.cwd());
  const image = await chooseImage(session, engine, known, options);
  const inputs = await runInputs(session, { known, engine, volume, image, args }, options);
  if (!holdsWeights(image.variant) && !options.print) await makeFolder(volume);
  noteLoopback(session, inputs);
  if (inputs.isPlainHttp && engine.kind === 'docker' && !isLocal(image.name)) session.note(INSECURE);
  const runArgs = runArguments(inputs);
  session.progress.stop();
  if (options.print) {
    for (const line of preparations(engine, inputs, options)) session.print(line);
    session.print(commandLine(engine, runArgs));
    return ExitStatus.done;
  }
  process.stderr.write(`${commandLine(engine, runArgs)}\n`);
  process.stderr.write(`weighbridge: will answer at ${serverAddress(inputs)}/v1\n`);
  session.signal.throwIfAborted();
  const ended = runContainer(engine, runArgs, session.env);
  session.releaseSignals();
  return await ended;
}

/** The operands that commander gives, parted at the `--` that it drops. */
function splitOperands(
  operands: readonly string[],
  argv: readonly string[],
): { name: string | undefined; args: readonly string[] } {
  const dashes = argv.indexOf('--');
  const count = dashes === -1 ? 0 : argv.length - dashes - 1;
  const [name, excess] = operands.slice(0, operands.length - count);
  if (excess === undefined) return { name, args: operands.slice(operands.length - count) };
  throw new ConfigError(`unexpected argument ${JSON.stringify(excess)}: one model at a time`, {
    code: 'USAGE',
    remedy: 'Put arguments for vLLM after --: weighbridge run <short> -- --max-model-len 4096.',
  });
}

async function findModel(
  session: Session,
  name: string | undefined,
  options: RunOptions,
): Promise<KnownModel> {
  const wanted = name ?? options.short;
  const isImageEnough = options.image !== undefined || options.archive !== undefined;
  if (wanted === undefined && isImageEnough) return undefined;
  const config = await readConfig(options, session);
  const models = chooseModels(config, wanted === undefined ? undefined : [wanted]);
  const [model] = models;
  if (model !== undefined && models.length === 1) return { config, model };
  throw new ConfigError('no model was named', {
    code: 'USAGE',
    remedy: `weighbridge run <short>, which is one of ${models.map(one => one.short).join(', ')}.`,
  });
}

async function engineFor({ env, signal }: Session, { engine, print }: RunOptions): Promise<ContainerEngine> {
  if (!print) return await findEngine({ wanted: engine, env, signal });
  if (engine !== undefined) return parseEngine(engine);
  // What is printed may be for another machine, so this one needs no engine.
  return await findEngine({ wanted: undefined, env, signal }).catch(() => parseEngine('docker'));
}

interface Chosen {
  readonly known: KnownModel;
  readonly engine: ContainerEngine;
  readonly volume: Volume;
  readonly image: ChosenImage;
  readonly args: readonly string[];
}

async function runInputs(
  session: Session,
  { known, engine, volume, image, args }: Chosen,
  options: RunOptions,
): Promise<RunInputs> {
  const { downloadRoot, serveArgs } = known?.model ?? UNKNOWN_MODEL;
  const engineArgs = options.engineArg ?? [];
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  return {
    engine: engine.kind,
    image: image.name,
    isPlainHttp: image.isPlainHttp === true,
    isServerEntrypoint: holdsWeights(image.variant),
    args,
    containerPort: servePort({ serveArgs: [...serveArgs, ...args] }),
    port: options.port,
    volume: holdsWeights(image.variant) ? undefined : { ...volume, target: downloadRoot },
    variables: passedVariables(session.env, image.variant),
    gpu: hasGpuFlag(engineArgs) ? undefined : await chooseGpu(session, options),
    mode: options.detach ? 'detached' : isTerminal ? 'terminal' : 'plain',
    name: options.name,
    engineArgs,
  };
}

async function chooseGpu({ env, note }: Session, { gpus }: RunOptions): Promise<GpuKind | undefined> {
  const found = gpus === 'none' ? undefined : await detectGpu({ env });
  if (gpus === 'all') return found ?? 'nvidia';
  if (found === undefined) {
    const why = gpus === 'none' ? 'no GPU is passed on' : 'no GPU was found here';
    note(`${why}: vLLM will need a CPU build as its base image`);
  }
  return found;
}

const INSECURE =
  'Docker pulls over plain HTTP only from registries that "insecure-registries" of its daemon.json names';

function isLocal(image: string): boolean {
  return isLoopbackHost(new URL(`http://${parseReference(image).registry}`).hostname);
}

async function makeFolder({ source, isFolder }: Volume): Promise<void> {
  if (!isFolder) return;
  await mkdir(source, { recursive: true }).catch(cause => {
    throw new ConfigError(`the folder ${source} cannot be created (${cause.code})`, {
      code: 'USAGE',
      subject: source,
      remedy: 'Name another one with --volume.',
      cause,
    });
  });
}

function noteLoopback({ env, note }: Session, { variables, engineArgs }: RunInputs): void {
  const names = usesHostNetwork(engineArgs) ? [] : loopbackVariables(env, variables);
  if (names.length === 0) return;
  note(
    `${names.join(' and ')} points to this machine's localhost, which a container does not see: ` +
      'add --engine-arg=--network=host',
  );
}

/** What has to be done before the printed command, as lines of a shell. */
function preparations(engine: ContainerEngine, { volume }: RunInputs, { archive }: RunOptions): string[] {
  const isMissing = volume?.isFolder && !existsSync(volume.source);
  return [
    ...(isMissing ? [shellQuote(['mkdir', '-p', volume.source])] : []),
    ...(archive === undefined ? [] : [commandLine(engine, loadArguments(path.resolve(archive)))]),
  ];
}

function commandLine({ words }: ContainerEngine, args: readonly string[]): string {
  return shellQuote([...words, ...args]);
}

function parsePort(value: string): string {
  const [, address, number] = /^(?:(.+):)?(\d{1,5})$/.exec(value) ?? [];
  const isAddress = address === undefined || /^([\d.]+|\[[\da-fA-F:.]+\])$/.test(address);
  if (!isAddress || number === undefined || Number(number) < 1 || Number(number) > 65535) {
    throw new InvalidArgumentError('Expected a port, 1 to 65535, or <address>:<port>.');
  }
  return value;
}
