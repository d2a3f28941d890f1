/**
 * Returns the value of a variable without the white space around it, which secrets get by copying, and without the quotes
 * that `docker --env-file` and others keep where a shell would take them away. Undefined stays undefined.
 */
export function plainValue(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === undefined ? undefined : (/^(["'])(.*)\1$/s.exec(trimmed)?.[2]?.trim() ?? trimmed);
}
