import { Command, CommanderError } from 'commander';
import { addAdd } from './commands/add.ts';
import { addBuild } from './commands/build.ts';
import { addCatalog } from './commands/catalog.ts';
import { addDemo } from './commands/demo.ts';
import { addInit } from './commands/init.ts';
import { addInspect } from './commands/inspect.ts';
import { addLicenses } from './commands/licenses.ts';
import { addOutdated } from './commands/outdated.ts';
import { addPlan } from './commands/plan.ts';
import { addPublish } from './commands/publish.ts';
import { addRun } from './commands/run.ts';
import { addScan } from './commands/scan.ts';
import { addSummary } from './commands/summary.ts';
import { addValidate } from './commands/validate.ts';
import { addVerify } from './commands/verify.ts';
import { packageVersion } from './package-info.ts';
import { ExitStatus } from './session.ts';

const program = new Command('weighbridge')
  .description(
    'Publishes Hugging Face models as ready-to-run vLLM container images: no Docker engine, no disk.',
  )
  .version(packageVersion(), '-V, --version')
  .exitOverride()
  .showSuggestionAfterError()
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
The way of a model:
  init ─► add                           a first models.yaml with the workflow that publishes it
  validate ─► plan ─► publish           models.yaml to images in registries
  build                                 the same into a local image, without a registry
  run                                   start one with docker or podman
  inspect, verify                       what an image is, and whether it is what the Hub has
  catalog                               a web page of everything published

Try it without any account:  weighbridge demo
A first models.yaml:
  registries: { ghcr: ghcr.io/acme }
  models:
    - id: Qwen/Qwen2.5-0.5B-Instruct
      short: qwen25-05b`,
  );

for (const add of [
  addInit,
  addAdd,
  addValidate,
  addPlan,
  addPublish,
  addOutdated,
  addBuild,
  addRun,
  addInspect,
  addVerify,
  addCatalog,
  addLicenses,
  addScan,
  addSummary,
  addDemo,
]) {
  add(program);
}
for (const command of program.commands)
  command.exitOverride().showHelpAfterError('(--help shows what it takes)');

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help that was asked for is no error; anything else is about the call.
  process.exitCode = error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
}
