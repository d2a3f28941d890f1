import type { Variant } from '../../config/types.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageOutcome, ModelQueue } from '../../publish/types.ts';
import { counted } from '../layout/text-layout.ts';

/** References of one kind that are named; of the others it says how many there are. */
const MAX_NAMED = 10;

/** Keeps what a run has done so far, each image by its first tag, for the moment that it is interrupted. */
export class RunJournal {
  readonly #variants: readonly Variant[];
  readonly #wanted: string[] = [];
  readonly #ended = new Set<string>();
  #unseenModels: number;

  constructor(models: number, variants: readonly Variant[]) {
    this.#unseenModels = models;
    this.#variants = variants;
  }

  /** Returns the queue, with models counted as they leave it. */
  follow(queue: ModelQueue): ModelQueue {
    return {
      ...queue,
      plan: async model => {
        const entry = await queue.plan(model);
        if (entry.kind === 'unresolved') this.#unseenModels -= 1;
        return entry;
      },
    };
  }

  /** Before anything of the model is published. */
  notePlanned(
    { tags }: Pick<PlannedModel, 'tags'>,
    targets: readonly { readonly store: { readonly name: string } }[],
  ): void {
    this.#unseenModels -= 1;
    for (const variant of this.#variants)
      for (const { store } of targets)
        this.#wanted.push(...tags[variant].slice(0, 1).map(tag => `${store.name}:${tag}`));
  }

  noteEnd({ status, tags }: Pick<ImageOutcome, 'status' | 'tags'>): void {
    if (status !== 'failed') for (const tag of tags) this.#ended.add(tag);
  }

  /** Returns what is done and what is not, for people. No line break at its end. */
  report(): string {
    const isDone = (reference: string): boolean => this.#ended.has(reference);
    return [
      ...section('done', this.#wanted.filter(isDone)),
      ...section(
        'not done',
        this.#wanted.filter(reference => !isDone(reference)),
      ),
      ...(this.#unseenModels > 0 ? [`  not begun: ${counted(this.#unseenModels, 'model')}`] : []),
    ].join('\n');
  }
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
