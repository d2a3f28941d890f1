import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findRelease, namesAt } from '../../src/fit/releases.ts';
import { parseServeArguments } from '../../src/fit/serve-arguments.ts';
import { ROOT } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { generatedLines, PICKED } from '../support/serve-lines.ts';
import { run, skipFor } from '../support/tools.ts';

// Each release's own parser of `vllm serve` and its registry, asked the same as the check.

const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'weighbridge-tests');
/** By release, the one that is installed whole and that it borrows torch and the rest from. */
const RELEASES: readonly [version: string, whole: string][] = [
  ['0.8.5', '0.12.0'],
  ['0.10.2', '0.12.0'],
  ['0.11.2', '0.12.0'],
  ['0.12.0', '0.12.0'],
  ['0.14.1', '0.12.0'],
  ['0.17.1', '0.32.0'],
  ['0.20.2', '0.32.0'],
  ['0.24.0', '0.32.0'],
  ['0.28.0', '0.32.0'],
  ['0.32.0', '0.32.0'],
];
const GENERATED = 200;

const isInstalled = ['0.12.0', '0.32.0'].every(version =>
  existsSync(path.join(CACHE, 'vllm', version, '.installed')),
);
const skip = !IS_LONG
  ? 'long: WEIGHBRIDGE_LONG=1'
  : !isInstalled && skipFor('vLLM is not installed (scripts/install-vllm.sh does that)');

test('the check takes and refuses what the real parsers do, and knows their architectures', {
  skip,
}, async t => {
  const install = path.join(ROOT, 'scripts', 'vllm-releases', 'install_parsers.py');
  const installed = await run('/usr/bin/python3', [install]);
  assert.equal(installed.status, 0, installed.stderr);
  for (const [version, whole] of RELEASES) {
    await t.test(`vLLM ${version}`, async () => {
      const release = findRelease(version);
      assert.ok(release);
      const lines = [...PICKED, ...generatedLines(release, GENERATED, 7 + release.rank)];
      const real = await askParser(version, whole, lines);
      const wrong = lines.flatMap((line, index) => {
        const fault = parseServeArguments(line, release).faults[0];
        const isTaken = real.accepts[index] === true;
        return (fault === undefined) === isTaken ? [] : [{ line, real: real.accepts[index], fault }];
      });
      assert.deepEqual(wrong, []);
      assert.deepEqual(namesAt('architectures', release).toSorted(), real.architectures.toSorted());
    });
  }
});

interface Answer {
  /** For each command line: true, or what it was refused with. */
  readonly accepts: readonly (true | string)[];
  readonly architectures: readonly string[];
}

async function askParser(
  version: string,
  whole: string,
  lines: readonly (readonly string[])[],
): Promise<Answer> {
  const own = version === whole ? [] : [version, 'extra'].map(name => path.join(CACHE, 'vllm-parsers', name));
  const script = path.join(import.meta.dirname, 'vllm_parser.py');
  const { status, stdout, stderr } = await run('/usr/bin/python3', [script], {
    env: { PYTHONPATH: [...own, path.join(CACHE, 'vllm', whole)].join(':') },
    input: JSON.stringify(lines),
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}
