import type { HubFile } from '../../hub/types.ts';
import type { LeftOutFile } from '../../plan/choose-files.ts';

/** `sha256` where the Hub knows it, else git's blob id. */
export type FileJson = { readonly path: string; readonly size: number } & (
  | { readonly sha256: string }
  | { readonly gitOid: string }
);

/** A file that images do not get. */
export interface LeftOutJson {
  readonly path: string;
  readonly size: number;
  /** In kebab case: `second-copy`, `other-framework`, `excluded`, … */
  readonly rule: string;
  /** To be read after the path. */
  readonly reason: string;
}

/** Returns a file as `--json` has it. */
export function fileJson({ path, sizeBytes, sha256, gitOid }: HubFile): FileJson {
  return sha256 === undefined ? { path, size: sizeBytes, gitOid } : { path, size: sizeBytes, sha256 };
}

/** Returns a file that is left out, as `--json` has it. */
export function leftOutJson({ path, sizeBytes, rule, reason }: LeftOutFile): LeftOutJson {
  return { path, size: sizeBytes, rule, reason };
}
