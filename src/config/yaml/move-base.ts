import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

/**
 * Returns the text of a `models.yaml` in which each `base_image` that was `from` is `to`, in `defaults` and in models.
 * Everything else stays as it was, byte for byte; what is written through an anchor stays too.
 */
export function moveBase(text: string, from: string, to: string): string {
  const root = parseDocument(text, { keepSourceTokens: true, logLevel: 'error' }).contents;
  if (!isMap(root)) return text;
  const models = root.get('models', true);
  const owners = [root.get('defaults', true), ...(isSeq(models) ? models.items : [])];
  const starts = owners.flatMap(owner => {
    const value = isMap(owner) ? owner.get('base_image', true) : undefined;
    if (!isScalar(value) || value.value !== from || !value.range) return [];
    const [start, end] = value.range;
    const offset = text.slice(start, end).indexOf(from);
    return offset === -1 ? [] : [start + offset];
  });
  return starts
    .sort((a, b) => b - a)
    .reduce((moved, start) => moved.slice(0, start) + to + moved.slice(start + from.length), text);
}
