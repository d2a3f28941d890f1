import { isRefused } from '../../core/errors.ts';
import { formatBytes } from '../../core/text.ts';
import type { PublishOutcome } from '../../publish/types.ts';
import { clean } from '../layout/text-layout.ts';

/** Returns one line about what a publish would move in all, by registry and together; empty if there is nothing to say. */
export function movementTotal(outcomes: readonly Pick<PublishOutcome, 'images'>[]): string {
  const images = outcomes.flatMap(outcome => outcome.images).filter(image => image.tags.length > 0);
  const wouldMove = images.filter(image => image.status === 'skipped' || image.status === 'unchanged');
  if (wouldMove.length === 0) return '';
  const byRegistry = new Map<string, number>();
  for (const { registry, bytes } of wouldMove)
    byRegistry.set(registry, (byRegistry.get(registry) ?? 0) + bytes.uploaded);
  const total = [...byRegistry.values()].reduce((sum, bytes) => sum + bytes, 0);
  const each = [...byRegistry].map(([registry, bytes]) => `${clean(registry)} ${formatBytes(bytes)}`);
  const isOpen = images.some(image => image.status === 'failed' && !isRefused(image.error));
  const open = isOpen ? ', not counting what could not be read' : '';
  if (total === 0) return `Nothing to move${open}.`;
  const sum = each.length > 1 ? `; ${formatBytes(total)} in all` : '';
  return `To move, at most: ${each.join(', ')}${sum}${open}.`;
}
