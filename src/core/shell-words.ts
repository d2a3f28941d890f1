/** Returns the words of what `shellQuote` has written: single quotes and backslashes, nothing else of a shell. */
export function shellWords(text: string): string[] {
  const words = text.match(/(?:[^\s'\\]|'[^']*'|\\.)+/g) ?? [];
  return words.map(word =>
    word.replace(/'([^']*)'|\\(.)/g, (_, quoted?: string, one?: string) => quoted ?? one ?? ''),
  );
}
