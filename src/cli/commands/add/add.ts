import { type Command, InvalidArgumentError } from 'commander';
import { type ConfigFiles, readConfigFiles } from '../../../config/config-files.ts';
import { checkHubId, checkShort } from '../../../config/field-checks.ts';
import { parseConfigFiles } from '../../../config/load-config.ts';
import type { Config, ModelConfig } from '../../../config/types.ts';
import { appendModel, entryText, type NewModel } from '../../../config/yaml/append-model.ts';
import { readAll } from '../../../core/byte-source.ts';
import { ConfigError, HubError } from '../../../core/errors.ts';
import { parseJson } from '../../../core/json-shape.ts';
import type { ModelSnapshot } from '../../../hub/types.ts';
import { lookAtWeights } from '../../../plan/look-at-weights.ts';
import { type Suggestion, suggestModel, usualFiles } from '../../../plan/suggest-model.ts';
import { paragraph } from '../../../report/layout/text-layout.ts';
import { planTable } from '../../../report/text/plan-table.ts';
import { withConfig } from '../../options.ts';
import { writeOutput } from '../../output-file.ts';
import { hasUnresolved, planFor } from '../../planning.ts';
import { ExitStatus, runSession, type Session, type SessionOptions } from '../../session.ts';

interface AddOptions extends SessionOptions {
  readonly config: string;
  readonly short?: string;
  readonly revision?: string;
  readonly dryRun?: boolean;
}

const MAX_CONFIG_JSON_BYTES = 4 * 1024 * 1024;

/** Adds `weighbridge add` to the program. */
export function addAdd(program: Command): void {
  withConfig(program.command('add <id>'))
    .description('look up a model on the Hub and add it to models.yaml, keeping comments')
    .option('--short <name>', 'its image name, hf-<name> (default: derived from the id)', parseShort)
    .option('--revision <commit, tag or branch>', 'pin the model to this revision')
    .option('-n, --dry-run', 'print the entry and write nothing')
    .addHelpText(
      'after',
      `
A model that is listed already is not added again, unless another --short or --revision is given.
Required vLLM arguments are derived from the model's config.json; --trust-remote-code is never added automatically.

Examples:
  weighbridge add Qwen/Qwen2.5-0.5B-Instruct
  weighbridge add https://huggingface.co/mistralai/Mistral-7B-Instruct-v0.3 --short mistral-7b`,
    )
    .action((id: string, options: AddOptions) =>
      runSession(options, session => add(session, nameOf(id, session.services.hub.endpoint), options)),
    );
}

async function add(session: Session, id: string, options: AddOptions): Promise<number> {
  const before = await readConfigFiles(options.config);
  const listed = listedIn(before);
  const known = listedAs(id, listed, options);
  if (known !== undefined) return alreadyListed(session, known);
  const snapshot = await session.services.hub.getModel(id, options.revision ?? null, session.signal);
  // The Hub may know it by another name now.
  const renamed = listedAs(snapshot.id, listed, options);
  if (renamed !== undefined) return alreadyListed(session, renamed);
  const taken = new Set(listed.map(({ short }) => short));
  const suggestion = suggestModel(snapshot, await readJson(session, snapshot, 'config.json'), taken, {
    adapterConfig: await readJson(session, snapshot, 'adapter_config.json'),
    look: await lookAtWeights(session.services.hub, snapshot, usualFiles(snapshot), session.signal),
  });
  const model: NewModel = {
    ...suggestion.model,
    ...(options.short === undefined ? {} : { short: options.short }),
    ...(options.revision === undefined ? {} : { revision: options.revision }),
  };
  const after = withModel(before, model);
  const config = parseConfigFiles(after);
  const status = await report(session, config, model, suggestion);
  if (options.dryRun !== true) await writeOutput(options.config, after.main.text);
  session.print(
    `\n${options.dryRun ? 'Would be added' : 'Added'} to ${options.config}:\n${entryText(model)}`,
  );
  return status;
}

/** The entry that a second one would only repeat: another name or revision was not asked for. */
function listedAs(
  id: string,
  listed: readonly ModelConfig[],
  { short, revision }: AddOptions,
): ModelConfig | undefined {
  return listed.find(
    model =>
      model.id.toLowerCase() === id.toLowerCase() &&
      (short === undefined || short === model.short) &&
      (revision === undefined || revision === model.revision),
  );
}

/** Asking twice is not a mistake: a script may. */
function alreadyListed(session: Session, { id, short, position: { file, line } }: ModelConfig): number {
  session.print(
    `${id} is in ${file} already, as ${short} (line ${line}); nothing was added.\nTo publish it a second time, name another image: --short <name>.`,
  );
  return ExitStatus.done;
}

/** What is going to become of it, before the file is written. */
async function report(
  session: Session,
  config: Config,
  { short }: NewModel,
  { notes }: Suggestion,
): Promise<number> {
  const plan = await planFor(session, config, { config: config.file, model: [short] }, 'optional');
  session.progress.stop();
  session.print(planTable(plan, session.stdout));
  const { columns } = session.stdout;
  if (notes.length > 0) session.print('');
  for (const note of notes) session.print(paragraph(note, { columns, indent: 0, label: '- ' }).join('\n'));
  return hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
}

function withModel(files: ConfigFiles, model: NewModel): ConfigFiles {
  const { file, text } = files.main;
  return { ...files, main: { file, text: appendModel(text, model, file) } };
}

/** An empty list is not a valid file yet, but a fine place for a first model. */
function listedIn(files: ConfigFiles): readonly ModelConfig[] {
  try {
    return parseConfigFiles(files).models;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { models } = parseConfigFiles(withProbe(files, error));
    return models.filter(({ short }) => short !== 'probe');
  }
}

/** What is wrong with a file that nothing can be added to is wrong without the probe: `error` has it. */
function withProbe(files: ConfigFiles, error: ConfigError): ConfigFiles {
  try {
    return withModel(files, { id: 'org/probe', short: 'probe' });
  } catch {
    throw error;
  }
}

async function readJson(session: Session, snapshot: ModelSnapshot, name: string): Promise<unknown> {
  const file = snapshot.files.find(({ path }) => path === name);
  if (file === undefined || file.sizeBytes > MAX_CONFIG_JSON_BYTES) return undefined;
  try {
    const bytes = await readAll(
      session.services.hub.openFile(snapshot, file),
      MAX_CONFIG_JSON_BYTES,
      session.signal,
    );
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    // Gated: its facts are public, its files are not. A note says that the arguments were not looked up.
    if (error instanceof HubError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** People paste the address of the page, on the public Hub or on the one that `HF_ENDPOINT` names. */
function nameOf(text: string, endpoint: string): string {
  const name = text.startsWith(`${endpoint}/`) ? `huggingface.co/${text.slice(endpoint.length + 1)}` : text;
  const fault = checkHubId(name);
  if (fault === undefined) return name;
  if (fault.suggestion !== undefined) return fault.suggestion;
  throw new ConfigError(`${JSON.stringify(text)} ${fault.message}`, { code: 'USAGE', subject: text });
}

function parseShort(value: string): string {
  const fault = checkShort(value);
  if (fault === undefined) return value;
  const guess = fault.suggestion === undefined ? '' : ` Did you mean ${fault.suggestion}?`;
  throw new InvalidArgumentError(`It ${fault.message}.${guess}`);
}
