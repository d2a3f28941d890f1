import type { Command } from 'commander';
import type { ModelConfig } from '../../../config/types.ts';
import { readAll } from '../../../core/byte-source.ts';
import { ConfigError, errorFromJson, isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { licensedBase } from '../../../image/assemble/license-layer.ts';
import type { LayerEntry } from '../../../layer/recipe.ts';
import { finishLicenses } from '../../../licenses/license-entries.ts';
import type { LicensedBaseImage } from '../../../licenses/types.ts';
import { writeLicenses } from '../../../licenses/write-licenses.ts';
import type { PlannedModel } from '../../../plan/types.ts';
import { changesJson } from '../../../report/json/changes-json.ts';
import { explanation } from '../../../report/text/explanation.ts';
import {
  type AdHocOptions,
  type CommonOptions,
  readConfig,
  withAdHocModel,
  withConfig,
  withJson,
} from '../../options.ts';
import { prepareFolder } from '../../output-file.ts';
import { planFor } from '../../planning.ts';
import { createRunCache } from '../../run-cache.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';

interface LicensesOptions extends CommonOptions, AdHocOptions {
  readonly output?: string;
}

/** A license text is read into memory whole. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Adds `weighbridge licenses` to the program. */
export function addLicenses(program: Command): void {
  withJson(withAdHocModel(withConfig(program.command('licenses [short]'))))
    .description("write the /licenses tree of a model's fat image to a folder")
    .option('-o, --output <dir>', 'the folder (default: licenses/<short>)')
    .action((short: string | undefined, options: LicensesOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        await prepareFolder(options.output ?? 'licenses');
        const plan = await planFor(session, config, { ...options, model: [nameOf(short, options)] }, 'none');
        const [planned] = plan.models;
        if (planned?.kind === 'unresolved') throw errorFromJson(planned.error);
        if (planned === undefined) throw new TypeError('a plan of one model has none');
        const folder = options.output ?? `licenses/${planned.model.short}`;
        const entries = finishLicenses(planned.licenses.fat, await baseOf(session, planned.model));
        const files = await writeLicenses(folder, entries, entry => readEntry(session, entry));
        session.progress.stop();
        printFound(session, planned, folder, files);
        return ExitStatus.done;
      }),
    );
}

/** What the base image declares; the tree says nothing of it where its registry cannot be asked. */
async function baseOf(session: Session, { baseImage, arch }: ModelConfig): Promise<LicensedBaseImage> {
  const [platform = ''] = arch;
  try {
    return licensedBase(await createRunCache(session).baseImage(baseImage, platform));
  } catch (error) {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
    session.note(`the license of the base image is left out: ${error.message}`);
    return { reference: baseImage };
  }
}

function nameOf(short: string | undefined, options: AdHocOptions): string {
  const name = short ?? options.short;
  if (name !== undefined) return name;
  throw new ConfigError('no model was named', { code: 'USAGE', remedy: 'weighbridge licenses <short>' });
}

async function readEntry(session: Session, { path, content, sizeBytes }: LayerEntry): Promise<Uint8Array> {
  if (content.kind !== 'hub') throw new TypeError(`${path} is not a file of the Hub`);
  const { repository: id, revision } = content;
  const source = session.services.hub.openFile({ id, revision }, { path: content.path, sizeBytes });
  return await readAll(source, MAX_TEXT_BYTES, session.signal);
}

function printFound(session: Session, planned: PlannedModel, folder: string, files: readonly string[]): void {
  const { model, snapshot, outcome } = planned;
  if (session.isJson) {
    const { license, lineage, decisions, findings, remedies } = outcome;
    const changes = changesJson(remedies);
    const facts = { license, lineage, decisions, findings, changes };
    session.print(
      JSON.stringify(
        { schemaVersion: 1, id: model.id, revision: snapshot.revision, ...facts, folder, files },
        null,
        2,
      ),
    );
    return;
  }
  session.print(explanation(planned, session.stdout));
  session.print(`\nWritten to ${folder}`);
  for (const file of files) session.print(`  ${file}`);
}
