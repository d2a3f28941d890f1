import type { Remedy } from '../../policy/types.ts';

/** A line of models.yaml that would change the decision about the fat image. */
export interface ChangeJson {
  /** `permissive: true` */
  readonly line: string;
  /** What it says, or does. */
  readonly means: string;
}

/** Returns remedies under the keys that `--json` has for them. */
export function changesJson(remedies: readonly Remedy[]): ChangeJson[] {
  return remedies.map(({ setting, effect }) => ({ line: setting, means: effect }));
}
