import type { Variant } from '../../config/types.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageOutcome } from '../../publish/types.ts';

/** References of one kind that are named; of the others it says how many there are. */
const MAX_NAMED = 10;

/** Where the images were to go. */
export interface Interrupted {
  readonly variants: readonly Variant[];
  readonly targetsOf: (model: PlannedModel) => readonly { readonly store: { readonly name: string } }[];
}

/** What a publish that was interrupted has done and what it has not, for people. No line break at its end. */
export function interruptedReport(
  models: readonly PlannedModel[],
  { variants, targetsOf }: Interrupted,
  done: readonly ImageOutcome[],
): string {
  const ended = new Set(done.flatMap(image => (image.status === 'failed' ? [] : image.tags)));
  const wanted = models.flatMap(planned =>
    variants.flatMap(variant =>
      targetsOf(planned).flatMap(({ store }) =>
        planned.tags[variant].slice(0, 1).map(tag => `${store.name}:${tag}`),
      ),
    ),
  );
  const isDone = (reference: string): boolean => ended.has(reference);
  return [
    ...section('done', wanted.filter(isDone)),
    ...section(
      'not done',
      wanted.filter(reference => !isDone(reference)),
    ),
  ].join('\n');
}

function section(title: string, references: readonly string[]): string[] {
  if (references.length === 0) return [];
  const more = references.length - MAX_NAMED;
  return [
    `  ${title}:`,
    ...references.slice(0, MAX_NAMED).map(reference => `    ${reference}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}
