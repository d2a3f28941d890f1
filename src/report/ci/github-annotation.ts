import path from 'node:path';
import type { ConfigProblem } from '../../config/problems.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Returns a workflow command that shows a mistake at its line in a pull request.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
 */
export function errorAnnotation(
  { file, line, column, message, suggestion }: ConfigProblem,
  env: Env,
): string {
  // GitHub knows files by their path in the repository.
  const place = path.relative(env.GITHUB_WORKSPACE || process.cwd(), path.resolve(file));
  const advice = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
  return `::error file=${property(place)},line=${line},col=${column}::${data(`${message}${advice}`)}`;
}

/** Line breaks and percent signs would end the command, or begin another. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
