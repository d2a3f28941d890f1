import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * Why a suite has to be skipped, for node:test's `skip`: the tools that are not here, or not being root.
 * With WEIGHBRIDGE_REQUIRE_REAL=1 that is an error.
 */
export function missingTools(tools: readonly string[]): string | false {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  const missing = tools.filter(tool => !folders.some(folder => existsSync(path.join(folder, tool))));
  const reasons = [
    ...(missing.length > 0
      ? [`${missing.join(', ')} not installed (scripts/install-test-tools.sh does that)`]
      : []),
    ...(process.getuid?.() === 0 ? [] : ['not root']),
  ];
  if (reasons.length === 0) return false;
  if (process.env.WEIGHBRIDGE_REQUIRE_REAL === '1')
    throw new Error(`cannot test for real: ${reasons.join('; ')}`);
  return reasons.join('; ');
}
