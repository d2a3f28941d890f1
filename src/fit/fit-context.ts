import type { ModelShape } from './model-shape.ts';
import type { Release } from './releases.ts';
import type { ServeArguments } from './serve-arguments.ts';
import type { FitInput } from './types.ts';

/** What the checks of one model share. */
export interface FitContext {
  readonly input: FitInput;
  readonly release: Release;
  readonly shape: ModelShape;
  readonly args: ServeArguments;
}
