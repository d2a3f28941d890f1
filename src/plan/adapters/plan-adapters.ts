import type { AdapterConfig, ModelConfig } from '../../config/types.ts';
import { isModelId, modelIdIn } from '../../core/hub-names.ts';
import { isRecord } from '../../core/json-shape.ts';
import { mapPool } from '../../core/pool.ts';
import { ownValue } from '../../core/table.ts';
import { type AdapterBase, type AdapterFacts, type AdapterTensor, rankOf } from '../../fit/adapter-facts.ts';
import { modelStem } from '../../fit/check-adapters.ts';
import type { Hub, HubFile, ModelSnapshot } from '../../hub/types.ts';
import { UnshardableError } from '../../layer/safetensors-header.ts';
import type { ReadText } from '../../licenses/types.ts';
import { decide } from '../../policy/decide.ts';
import type { Ancestor, LineageClaims } from '../../policy/facts.ts';
import type { LegalReader, ReadAncestor } from '../legal/legal-reader.ts';
import { couldBeFat, doesLineageMatter } from '../legal/lineage-need.ts';
import { readJson } from '../read-documents.ts';
import { isClosed, type SmallFiles } from '../small-files.ts';
import { readHeader } from '../split/reshard-files.ts';
import type { ModelPin, PlannedAdapter } from '../types.ts';
import { ADAPTER_CONFIG, chooseAdapterFiles } from './choose-adapter-files.ts';

/** What adapters are planned with. */
export interface AdapterContext {
  readonly hub: Hub;
  readonly legal: LegalReader;
  readonly smallFiles: SmallFiles;
  readonly pin?: ModelPin | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An adapter as far as a plan looks at it. */
export interface ReadAdapter {
  readonly planned: PlannedAdapter;
  readonly facts: AdapterFacts;
  readonly read: ReadonlyMap<string, ReadText>;
  /** Besides the model and what that was made from. */
  readonly ancestors: readonly ReadAncestor[];
}

const AT_ONCE = 4;

/** Asks the Hub about a model's adapters and returns each with its decision. Throws HubError, IntegrityError. */
export async function planAdapters(
  model: ModelConfig,
  base: ModelSnapshot,
  context: AdapterContext,
): Promise<readonly ReadAdapter[]> {
  return await mapPool(model.adapters, AT_ONCE, adapter => planAdapter(adapter, model, base, context));
}

async function planAdapter(
  adapter: AdapterConfig,
  model: ModelConfig,
  base: ModelSnapshot,
  context: AdapterContext,
): Promise<ReadAdapter> {
  const { hub, legal, smallFiles, pin, signal } = context;
  const revision = ownValue(pin?.adapters, adapter.name) ?? adapter.revision;
  const snapshot = await hub.getModel(adapter.id, revision, signal, { mayLeaveOut: 'all' });
  const { files, leftOut } = chooseAdapterFiles(snapshot);
  // It is judged as a model of the same file would be.
  const entry: ModelConfig = {
    ...model,
    id: adapter.id,
    revision: adapter.revision,
    gated: 'auto',
    serveArgs: [],
    adapters: [],
    permissive: adapter.permissive,
    overrideSpdx: adapter.overrideSpdx,
  };
  const [config, tensors, { texts, read, claims }] = await Promise.all([
    readConfig(smallFiles, snapshot),
    readTensors(files, { hub, snapshot, signal }),
    legal.read(snapshot, files, couldBeFat(entry, snapshot)),
  ]);
  const bases = await basesOf(config, snapshot, base, legal);
  const all = doesLineageMatter(entry, snapshot) ? await legal.ancestorsOf(snapshot, claims) : [];
  const ancestors = all.filter(({ ancestor }) => !isBase(ancestor, base));
  const outcome = decide(entry, {
    snapshot,
    texts,
    // Of the model that it is added to, the model's own entry decides.
    claims: ancestors.length < all.length ? withoutFamily(claims) : claims,
    ancestors: ancestors.map(({ ancestor }) => ancestor),
    files,
  });
  return {
    planned: { adapter, snapshot, files, leftOut, outcome, rank: rankOf(config) ?? null },
    facts: { name: adapter.name, id: adapter.id, config, bases, tensors },
    read,
    ancestors,
  };
}

/** Whether an ancestor of the adapter is the model, or one that is reached by way of it. */
function isBase(ancestor: Ancestor, base: ModelSnapshot): boolean {
  const own = [base.id, base.requestedId].map(id => id.toLowerCase());
  const names = [...ancestor.chain, ...(ancestor.kind === 'known' ? [ancestor.snapshot.id] : [])];
  return names.some(id => own.includes(id.toLowerCase()));
}

function withoutFamily(claims: LineageClaims): LineageClaims {
  return { ...claims, family: undefined };
}

/** Undefined for one that may not be read, or is not JSON. */
async function readConfig(files: SmallFiles, snapshot: ModelSnapshot): Promise<unknown> {
  return await readJson(files, snapshot, [ADAPTER_CONFIG]);
}

/** Undefined if there is no header that can be read: of a gated adapter, or of a pickle. */
async function readTensors(
  files: readonly HubFile[],
  context: { readonly hub: Hub; readonly snapshot: ModelSnapshot; readonly signal?: AbortSignal | undefined },
): Promise<readonly AdapterTensor[] | undefined> {
  const file = files.find(({ path }) => path === 'adapter_model.safetensors');
  if (file === undefined || context.snapshot.gated !== false) return undefined;
  try {
    const { header } = await readHeader(file, context);
    return header.tensors.map(({ name, shape }) => ({ name, shape }));
  } catch (error) {
    // Whether it is what vLLM can load is found out by its hash, or by vLLM.
    if (error instanceof UnshardableError || isClosed(error)) return undefined;
    throw error;
  }
}

/** What names the model that it was trained on: its configuration first, then its card. */
async function basesOf(
  config: unknown,
  { baseModels }: ModelSnapshot,
  base: ModelSnapshot,
  legal: LegalReader,
): Promise<readonly AdapterBase[]> {
  const value = isRecord(config) ? config.base_model_name_or_path : undefined;
  const own = typeof value === 'string' && value.trim() !== '' ? [value.trim()] : [];
  const written = [...new Set([...own, ...baseModels])].slice(0, MAX_BASES);
  const stems = [base.id, base.requestedId].map(modelStem);
  return await Promise.all(
    written.map(async (text): Promise<AdapterBase> => {
      const id = modelIdIn(text);
      // A name that tells enough costs no request.
      if (id === undefined || !id.includes('/') || !isModelId(id)) return { written: text };
      if (stems.includes(modelStem(id))) return { written: text, id };
      const found = await legal.find(id);
      return found === undefined
        ? { written: text }
        : { written: text, id: found.id, madeFrom: found.baseModels };
    }),
  );
}

const MAX_BASES = 4;
