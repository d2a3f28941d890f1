import { hasFlag, writtenFlags } from '../../core/serve-flags.ts';
import { maxLoraRank } from '../../fit/adapter-facts.ts';
import { releaseOfBase } from '../../fit/base-version.ts';
import { loraModuleOf } from '../../fit/lora-module.ts';
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
  const has = (...names: string[]): boolean => hasFlag(model.serveArgs, ...names);
  return [
    ...(has(ENABLE, '--no-enable-lora', '--disable-lora') ? [] : [ENABLE]),
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
  const flags = writtenFlags(serveArgs);
  const modules = flags.findLast(({ name }) => name === MODULES);
  if (modules === undefined || planned.adapters === undefined) return [...serveArgs];
  const named = new Set(modules.values.map(value => loraModuleOf(value).name));
  const missing = modulesOf(planned).filter(module => !named.has(loraModuleOf(module).name));
  return flags.flatMap(flag => (flag === modules ? [MODULES, ...missing, ...flag.values] : flag.words));
}

/** `sql=/models/x-adapters/sql` */
function modulesOf(planned: Adapted): string[] {
  return (planned.adapters ?? []).map(({ adapter: { name } }) => `${name}=${adapterDirOf(planned, name)}`);
}
