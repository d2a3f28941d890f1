import { digestOf } from '../core/digest.ts';
import type { LayerEntry } from './recipe.ts';

/** Returns a file whose text comes with the plan. */
export function inlineEntry(path: string, mode: 0o644 | 0o755, text: string): LayerEntry {
  return {
    path,
    mode,
    sizeBytes: Buffer.byteLength(text),
    contentId: digestOf(text),
    content: { kind: 'inline', text },
  };
}
