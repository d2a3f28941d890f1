/**
 * Returns what the changelog says of a version, or of what is not released yet (`Unreleased`), without its title. Headings move up
 * a level, as they stand alone in a release. Undefined if there is no such section, or nothing in it.
 */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find(section => titleOf(section) === version);
  const text = found?.slice(found.indexOf('\n') + 1).trim();
  return text ? `${text.replaceAll(/^###/gm, '##')}\n` : undefined;
}

/** `0.1.0` of `[0.1.0] - 2026-12-01`, `v0.1.0 (2026-12-01)` and `0.1.0`. */
function titleOf(section: string): string {
  const [line = ''] = section.split('\n');
  return line.trim().replace(/^\[?v?([^\s\]]+)\]?.*$/, '$1');
}
