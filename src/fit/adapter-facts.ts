import { flagsOf } from './flag-definition.ts';
import { countOf, recordOf } from './json-value.ts';
import type { Release } from './releases.ts';

/** What a LoRA adapter says of itself. */
export interface AdapterFacts {
  /** As it is served. */
  readonly name: string;
  readonly id: string;
  /** adapter_config.json; undefined if it may not be read. */
  readonly config: unknown;
  /** What its configuration and its card name as the model that it was trained on, in that order. */
  readonly bases: readonly AdapterBase[];
  /** Of its safetensors file; undefined if the header cannot be read. */
  readonly tensors: readonly AdapterTensor[] | undefined;
}

/** The model that an adapter is for, as its configuration names it. */
export interface AdapterBase {
  /** As it is written: an id, or a folder of the trainer. */
  readonly written: string;
  /** The repository that this is now; undefined if there is none, or it is not shown. */
  readonly id?: string | undefined;
  /** What that one was made from. */
  readonly madeFrom?: readonly string[];
}

/** A tensor of an adapter, by name and shape. */
export interface AdapterTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The model that adapters are added to. */
export interface AdaptedModel {
  /** Every name of its repository. */
  readonly ids: readonly string[];
  /** What it was made from, nearest first. */
  readonly madeFrom: readonly string[];
  /** How, if its card says so: `quantized`, `finetune`. */
  readonly relation?: string | undefined;
}

/** Returns the largest rank of an adapter's matrices; undefined if its configuration does not say. */
export function rankOf(config: unknown): number | undefined {
  const { r, rank_pattern: pattern } = recordOf(config);
  const rank = countOf(r);
  return rank === undefined
    ? undefined
    : Math.max(rank, ...Object.values(recordOf(pattern)).flatMap(value => countOf(value) ?? []));
}

/** What vLLM took before its parser had choices. */
const EARLY_RANKS = [8, 16, 32, 64, 128, 256];

/**
 * Returns the values of `--max-lora-rank` that a release takes, ascending. Without a release: those that all have taken
 * since 0.6.
 */
export function rankChoices(release: Release | undefined): readonly number[] {
  const choices = release && flagsOf(release).get('--max-lora-rank')?.value?.choices;
  return (choices?.map(Number) ?? EARLY_RANKS).toSorted((a, b) => a - b);
}

/** Returns the smallest `--max-lora-rank` that holds all ranks; undefined if no rank is known or none is enough. */
export function maxLoraRank(
  ranks: readonly (number | null)[],
  release: Release | undefined,
): number | undefined {
  const known = ranks.filter(rank => rank !== null);
  if (known.length === 0) return undefined;
  return rankChoices(release).find(choice => choice >= Math.max(...known));
}
