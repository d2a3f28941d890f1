import type { Remedy } from '../../policy/types.ts';

export interface ChangeJson {
  /** In models.yaml: `permissive: true`. */
  readonly line: string;
  readonly means: string;
}

/** Returns remedies under the keys that `--json` has for them. */
export function changesJson(remedies: readonly Remedy[]): ChangeJson[] {
  return remedies.map(({ setting, effect }) => ({ line: setting, means: effect }));
}
