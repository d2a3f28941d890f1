import { VARIANTS, type Variant } from './types.ts';

/** Variants whose images hold the weights; the others fetch them when they start. */
const WITH_WEIGHTS: ReadonlySet<string> = new Set<Variant>(['fat']);

/** Whether images of the variant hold the model's weights; an unknown name counts as one that does. */
export function holdsWeights(variant: string): boolean {
  return WITH_WEIGHTS.has(variant) || !VARIANTS.some(known => known === variant);
}

/** Returns a record with one value for each variant. */
export function byVariant<T>(of: (variant: Variant) => T): Readonly<Record<Variant, T>> {
  return Object.fromEntries(VARIANTS.map(variant => [variant, of(variant)])) as Record<Variant, T>;
}
