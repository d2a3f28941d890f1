// First: what is loaded before it lets the space of new objects grow.
import './small-nursery.ts';
import { Command, CommanderError } from 'commander';
import { table } from '../core/table.ts';
import { packageVersion } from '../engine/package-info.ts';
import { guardOutput } from './guard-output.ts';
import { refuseEmptyValues, withVerbosity } from './options.ts';
import { ExitStatus } from './session.ts';

/** In the order of the help. Each brings its own parts of the program, which take longer to load than most commands run. */
const COMMANDS = table<() => Promise<(program: Command) => void>>({
  init: async () => (await import('./commands/init/init.ts')).addInit,
  add: async () => (await import('./commands/add/add.ts')).addAdd,
  validate: async () => (await import('./commands/validate/validate.ts')).addValidate,
  plan: async () => (await import('./commands/plan/plan.ts')).addPlan,
  publish: async () => (await import('./commands/publish/publish.ts')).addPublish,
  outdated: async () => (await import('./commands/outdated/outdated.ts')).addOutdated,
  update: async () => (await import('./commands/update/update.ts')).addUpdate,
  build: async () => (await import('./commands/build/build.ts')).addBuild,
  run: async () => (await import('./commands/run/run.ts')).addRun,
  inspect: async () => (await import('./commands/inspect/inspect.ts')).addInspect,
  verify: async () => (await import('./commands/verify/verify.ts')).addVerify,
  sign: async () => (await import('./commands/sign/sign.ts')).addSign,
  manifest: async () => (await import('./commands/manifest/manifest.ts')).addManifest,
  catalog: async () => (await import('./commands/catalog/catalog.ts')).addCatalog,
  licenses: async () => (await import('./commands/licenses/licenses.ts')).addLicenses,
  prune: async () => (await import('./commands/prune/prune.ts')).addPrune,
  doctor: async () => (await import('./commands/doctor/doctor.ts')).addDoctor,
  ls: async () => (await import('./commands/ls/ls.ts')).addLs,
  scan: async () => (await import('./commands/scan/scan.ts')).addScan,
  summary: async () => (await import('./commands/summary/summary.ts')).addSummary,
  completion: async () => (await import('./commands/completion/completion.ts')).addCompletion,
  demo: async () => (await import('./commands/demo/demo.ts')).addDemo,
});

guardOutput();

const program = new Command('weighbridge')
  .description(
    'Publish Hugging Face models as ready-to-run vLLM container images: no Docker engine, no disk.',
  )
  .version(packageVersion(), '-V, --version')
  .exitOverride()
  .showSuggestionAfterError()
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
Typical workflow:
  init ─► add                           create models.yaml and a CI workflow, add models
  validate ─► plan ─► publish           check the file, review the plan, publish the images
  run, manifest                         run an image here, or on Kubernetes and elsewhere
  inspect, verify                       show what an image contains, compare it with the Hub
  scan ─► sign                          find vulnerabilities, sign images and attest their contents
  ls ─► outdated ─► update              list what is published, what has changed, move the lock
  prune                                 delete old images
  catalog                               write a website of everything published
  build                                 build a local image, without a registry

Try it without an account:  weighbridge demo
A minimal models.yaml:
  registries: { ghcr: ghcr.io/acme }
  models:
    - id: Qwen/Qwen2.5-0.5B-Instruct
      short: qwen25-05b`,
  );

for (const name of wantedCommands(process.argv[2] ?? '')) (await COMMANDS[name]?.())?.(program);
for (const command of program.commands) {
  if (command.name() !== 'completion') withVerbosity(command);
  refuseEmptyValues(command).exitOverride().showHelpAfterError('(run it with --help for usage)');
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help that was asked for is not an error; anything else is about the call.
  process.exitCode = error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
  if (error.exitCode !== 0 && wantsJson(process.argv.slice(2))) printUsageError(error.message);
}

/** Whether stdout is to be one JSON document, of a call that could not be parsed. */
function wantsJson([name = '', ...words]: readonly string[]): boolean {
  const command = program.commands.find(one => one.name() === name);
  const end = words.indexOf('--');
  const isGiven = words.slice(0, end === -1 ? words.length : end).includes('--json');
  return isGiven && command?.options.some(({ long }) => long === '--json') === true;
}

function printUsageError(message: string): void {
  const error = { code: 'USAGE', message: message.replace(/^error: /, '') };
  process.stdout.write(`${JSON.stringify({ schemaVersion: 1, error }, null, 2)}\n`);
}

/** A help, a completion, or a word that is not a command is about all of them. */
function wantedCommands(first: string): readonly string[] {
  if (first === '--version' || first === '-V') return [];
  return Object.hasOwn(COMMANDS, first) && first !== 'completion' ? [first] : Object.keys(COMMANDS);
}
