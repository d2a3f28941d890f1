import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { skipFor } from './tools.ts';

/** Where the scripts put the tools that are built or installed for the long form. */
export const TEST_TOOLS = path.join(
  process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
  'weighbridge-tests',
);
const BIN = path.join(TEST_TOOLS, 'go', 'bin');

export type GoTool =
  | 'trivy'
  | 'trivy-test-db'
  | 'actionlint'
  | 'pod-security'
  | 'registry'
  | 'referrers-registry'
  | 'cosign'
  | 'oras'
  | 'modctl'
  | 'kit'
  | 'regctl'
  | 'policy-tester';

/** Where `scripts/build-go-tools.sh` has put it. */
export function goTool(name: GoTool): string {
  return path.join(BIN, name);
}

/** For the `skip` option of a test: false where all are built, else the reason; with WEIGHBRIDGE_REQUIRE_REAL=1 an error. */
export function requireGoTool(...names: readonly GoTool[]): false | string {
  const missing = names.filter(name => !existsSync(goTool(name)));
  if (missing.length === 0) return false;
  return skipFor(`${missing.join(', ')} not built (scripts/build-go-tools.sh does that)`);
}
