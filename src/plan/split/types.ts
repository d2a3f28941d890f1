import type { Hub, ModelSnapshot } from '../../hub/types.ts';

/** What files are divided with. */
export interface ReshardContext {
  readonly hub: Hub;
  readonly snapshot: ModelSnapshot;
  readonly signal?: AbortSignal | undefined;
}
