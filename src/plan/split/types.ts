import type { Hub, ModelSnapshot } from '../../hub/types.ts';

export interface DivideContext {
  readonly hub: Hub;
  readonly snapshot: ModelSnapshot;
  readonly signal?: AbortSignal | undefined;
}
