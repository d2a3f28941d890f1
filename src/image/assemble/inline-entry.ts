import { digestOf } from '../../core/digest.ts';
import type { LayerEntry } from '../../layer/recipe.ts';

/** Returns a file whose text comes with the plan. */
export function inlineEntry(path: string, mode: 0o644 | 0o755, text: string): LayerEntry {
  const bytes = Buffer.from(text, 'utf8');
  return {
    path,
    mode,
    sizeBytes: bytes.length,
    contentId: digestOf(bytes),
    content: { kind: 'inline', text },
  };
}
