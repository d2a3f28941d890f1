import { availableParallelism } from 'node:os';
import { hasTool } from '../test/support/tools.ts';

export interface Halves {
  /** What goes before a command so that it runs on the registry's cores. */
  readonly registry: readonly string[];
  /** The same for the tool that is measured, and for the Hub. */
  readonly tool: readonly string[];
}

/**
 * A registry is on a machine of its own, which one machine can only imitate: half of the cores are the registry's, the
 * other half the tool's and the Hub's, so that neither can make the other slow. Nothing is bound where there is one core.
 */
export function halves(): Halves {
  const cores = availableParallelism();
  if (cores < 2 || !hasTool('taskset')) return { registry: [], tool: [] };
  const half = cores >> 1;
  return {
    registry: ['taskset', '-c', `0-${half - 1}`],
    tool: ['taskset', '-c', `${half}-${cores - 1}`],
  };
}
