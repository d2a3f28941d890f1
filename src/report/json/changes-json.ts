import type { Remedy } from '../../policy/types.ts';

/** What changed since the image that a tag named before. */
export interface ChangeJson {
  /** In models.yaml: `permissive: true`. */
  readonly line: string;
  readonly means: string;
}

/** Returns remedies under the keys that `--json` has for them. */
export function changesJson(remedies: readonly Remedy[]): ChangeJson[] {
  return remedies.map(({ setting, effect }) => ({ line: setting, means: effect }));
}
