import { VARIANTS } from '../config/types.ts';
import type { ImageOutcome, PublishOutcome, ReportedModel } from '../publish/types.ts';

/** Returns by registry as planned, then by variant, whatever the order they were done in. */
export function imagesInOrder({ planned, images }: PublishOutcome<ReportedModel>): ImageOutcome[] {
  const registries = planned.targets.map(target => target.registry);
  return [...images].sort(
    (a, b) =>
      registries.indexOf(a.registry) - registries.indexOf(b.registry) ||
      VARIANTS.indexOf(a.variant) - VARIANTS.indexOf(b.variant),
  );
}
