import { flagValue } from '../../core/serve-flags.ts';
import { maxLoraRank } from '../../fit/adapter-facts.ts';
import { releaseOfBase } from '../../fit/base-version.ts';
import { adapterDirOf } from '../../plan/model-dir.ts';
import type { PlannedModel } from '../../plan/types.ts';

type Adapted = Pick<PlannedModel, 'model' | 'adapters'>;

const ENABLE = '--enable-lora';
const MODULES = '--lora-modules';
const RANK = '--max-lora-rank';

/** Returns the flags that serve the adapters, but for those that `serve_args` has. */
export function adapterArgs(planned: Adapted): string[] {
  const { model, adapters = [] } = planned;
  if (adapters.length === 0) return [];
  const rank = rankFor(planned);
  const has = (flag: string): boolean => flagValue(model.serveArgs, flag) !== undefined;
  return [
    ...(has(ENABLE) || has('--no-enable-lora') || has('--disable-lora') ? [] : [ENABLE]),
    ...(has(MODULES) ? [] : [MODULES, ...modulesOf(planned)]),
    ...(has(RANK) || rank === undefined ? [] : [RANK, String(rank)]),
  ];
}

/** Returns the smallest `--max-lora-rank` of that release that holds all adapters; undefined if none is known. */
export function rankFor({ model, adapters = [] }: Adapted): number | undefined {
  return maxLoraRank(
    adapters.map(({ rank }) => rank),
    releaseOfBase(model.baseImage),
  );
}

/** Returns `serve_args` with the adapters among the modules that it names; as it is if it names none. */
export function withModules(serveArgs: readonly string[], planned: Adapted): string[] {
  const at = serveArgs.findLastIndex(word => flagOf(word) === MODULES);
  if (at === -1 || planned.adapters === undefined) return [...serveArgs];
  const [, joined] = /^[^=]*=(.*)$/s.exec(serveArgs[at] ?? '') ?? [];
  const end = serveArgs.findIndex((word, index) => index > at && word.startsWith('-'));
  const theirs = [
    ...(joined === undefined ? [] : [joined]),
    ...serveArgs.slice(at + 1, end === -1 ? undefined : end),
  ];
  const named = new Set(theirs.map(nameOf));
  const missing = modulesOf(planned).filter(module => !named.has(nameOf(module)));
  return [
    ...serveArgs.slice(0, at),
    MODULES,
    ...missing,
    ...theirs,
    ...(end === -1 ? [] : serveArgs.slice(end)),
  ];
}

/** `sql=/models/x-adapters/sql` */
function modulesOf(planned: Adapted): string[] {
  return (planned.adapters ?? []).map(({ adapter: { name } }) => `${name}=${adapterDirOf(planned, name)}`);
}

function flagOf(word: string): string {
  return (word.split('=')[0] ?? '').replaceAll('_', '-');
}

/** `name=path`, or JSON with a `name`. */
function nameOf(module: string): string {
  const [, quoted] = /^\s*\{.*"name"\s*:\s*"([^"]*)"/s.exec(module) ?? [];
  return quoted ?? module.split('=')[0] ?? '';
}
