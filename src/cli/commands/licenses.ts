import type { Command } from 'commander';
import { readAll } from '../../core/byte-source.ts';
import { ConfigError } from '../../core/errors.ts';
import type { LayerEntry } from '../../layer/recipe.ts';
import { writeLicenses } from '../../licenses/write-licenses.ts';
import type { PlannedModel } from '../../plan/types.ts';
import {
  type AdHocOptions,
  type CommonOptions,
  readConfig,
  withAdHocModel,
  withConfig,
  withJson,
} from '../options.ts';
import { planFor } from '../planning.ts';
import { ExitStatus, runSession, type Session } from '../session.ts';

interface LicensesOptions extends CommonOptions, AdHocOptions {
  readonly output?: string;
}

/** A licence text is read into memory whole. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export function addLicenses(program: Command): void {
  withJson(withAdHocModel(withConfig(program.command('licenses [short]'))))
    .description("write the /licenses tree of a model's fat image to a folder")
    .option('-o, --output <dir>', 'the folder (default: licenses/<short>)')
    .action((short: string | undefined, options: LicensesOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options);
        const plan = await planFor(session, config, { ...options, model: [nameOf(short, options)] }, 'none');
        const [planned] = plan.models;
        if (planned === undefined || planned.kind === 'unresolved') throw planned?.error;
        const folder = options.output ?? `licenses/${planned.model.short}`;
        const files = await writeLicenses(folder, planned.licenses.fat, entry =>
          readEntry(session, planned, entry),
        );
        session.progress.stop();
        printFound(session, planned, folder, files);
        return ExitStatus.done;
      }),
    );
}

function nameOf(short: string | undefined, options: AdHocOptions): string {
  const name = short ?? options.short;
  if (name !== undefined) return name;
  throw new ConfigError('no model was named', { code: 'USAGE', remedy: 'weighbridge licenses <short>' });
}

async function readEntry(
  session: Session,
  { snapshot }: PlannedModel,
  entry: LayerEntry,
): Promise<Uint8Array> {
  const { origin } = entry;
  const file = snapshot.files.find(candidate => origin.kind === 'hub' && candidate.path === origin.path);
  if (file === undefined) throw new TypeError(`${entry.path} is not a file of the model`);
  return await readAll(session.services.hub.openFile(snapshot, file), MAX_TEXT_BYTES, session.signal);
}

function printFound(session: Session, planned: PlannedModel, folder: string, files: readonly string[]): void {
  const { model, snapshot, outcome } = planned;
  if (session.isJson) {
    const { license, decisions } = outcome;
    session.print(
      JSON.stringify(
        { schemaVersion: 1, id: model.id, revision: snapshot.revision, license, decisions, folder, files },
        null,
        2,
      ),
    );
    return;
  }
  session.print(`${model.id} at ${snapshot.revision}: ${outcome.license.declared ?? 'no licence declared'}`);
  session.print(outcome.decisions.fat.reason);
  for (const file of files) session.print(`  ${folder}/${file}`);
}
