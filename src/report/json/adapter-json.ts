import { adapterDirOf } from '../../plan/model-dir.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { type FileJson, fileJson, type LeftOutJson, leftOutJson } from './file-json.ts';

/** A LoRA adapter that is served with a model. */
export interface AdapterJson {
  /** What clients ask for. */
  readonly name: string;
  readonly id: string;
  readonly revision: string;
  /** An SPDX expression, else the words of the Hub. */
  readonly license: string | null;
  readonly gated: boolean;
  /** Whether a fat image may have it, and why. */
  readonly permitted: { readonly build: boolean; readonly rule: string; readonly reason: string };
  /** In fat and weights images. */
  readonly dir: string;
  /** Null if its configuration may not be read. */
  readonly rank: number | null;
  readonly files: readonly FileJson[];
  readonly leftOut?: readonly LeftOutJson[];
}

/** Returns a model's adapters; nothing if it has none. */
export function adaptersJson(planned: PlannedModel): { readonly adapters?: readonly AdapterJson[] } {
  if (planned.adapters === undefined) return {};
  return {
    adapters: planned.adapters.map(({ adapter, snapshot, outcome, rank, files, leftOut }) => {
      const { build, rule, reason } = outcome.decisions.fat;
      return {
        name: adapter.name,
        id: snapshot.id,
        revision: snapshot.revision,
        license: outcome.license.spdx ?? outcome.license.declared,
        gated: outcome.isGated,
        permitted: { build, rule, reason },
        dir: adapterDirOf(planned, adapter.name),
        rank,
        files: files.map(fileJson),
        ...(leftOut.length === 0 ? {} : { leftOut: leftOut.map(leftOutJson) }),
      };
    }),
  };
}
