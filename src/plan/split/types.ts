import type { Hub, ModelSnapshot } from '../../hub/types.ts';

export interface ReshardContext {
  readonly hub: Hub;
  readonly snapshot: ModelSnapshot;
  readonly signal?: AbortSignal | undefined;
}
