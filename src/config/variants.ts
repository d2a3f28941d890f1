import { VARIANTS, type Variant } from './types.ts';

/** Variants whose images hold the weights; the others fetch them when they start. */
const WITH_WEIGHTS: ReadonlySet<string> = new Set<Variant>(['fat', 'weights', 'modelpack']);

/** Whether images of the variant hold the model's weights; an unknown name counts as one that does. */
export function holdsWeights(variant: string): boolean {
  return WITH_WEIGHTS.has(variant) || !VARIANTS.some(known => known === variant);
}

/** Published unless the file says otherwise, and shown even if nothing of them is. */
export const USUAL_VARIANTS: readonly Variant[] = ['slim', 'fat'];

/** Whether a variant is built on vLLM's image; only the tags of such variants can have its version. */
export function hasServer(variant: string): boolean {
  return variant === 'slim' || variant === 'fat';
}

/** Whether images of the variant bring the model's adapters: a ModelPack artifact is of one model. */
export function bringsAdapters(variant: string): boolean {
  return variant !== 'modelpack';
}

/** Returns the usual variants and whatever else `isUsed` knows, in the order of `VARIANTS`. */
export function shownVariants(isUsed: (variant: Variant) => boolean): readonly Variant[] {
  return VARIANTS.filter(variant => USUAL_VARIANTS.includes(variant) || isUsed(variant));
}

/** Returns a record with one value for each variant. */
export function byVariant<T>(of: (variant: Variant) => T): Readonly<Record<Variant, T>> {
  return Object.fromEntries(VARIANTS.map(variant => [variant, of(variant)])) as Record<Variant, T>;
}
