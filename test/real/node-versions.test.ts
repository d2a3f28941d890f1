import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { NODE_MAJORS, nodeOf } from '../support/node-versions.ts';
import { run } from '../support/tools.ts';

// The sockets are driven by hand, which leans on how Node.js works inside: on every version that is let in it has to.
const TESTS = ['src/http/**/*.test.ts', 'test/integration/publish.test.ts'];

for (const major of NODE_MAJORS) {
  test(`HTTP and a publish on Node.js ${major}`, { skip: IS_LONG ? false : 'in the long form' }, async t => {
    const node = await nodeOf(major);
    if ('skip' in node) return t.skip(node.skip);
    const version = await run(node.program, ['--version']);
    assert.match(version.stdout, new RegExp(`^v${major}\\.`));
    const args = ['--test', '--test-reporter=tap', ...TESTS];
    // A runner inside a runner would report to the outer one.
    const env = { NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
    const { status, stdout } = await run(node.program, args, { cwd: ROOT, env });
    const failures = stdout.split(/^(?=not ok|# Subtest)/m).filter(part => part.startsWith('not ok'));
    assert.equal(status, 0, failures.join('').slice(0, 5000) || stdout.slice(-3000));
    t.diagnostic(`${version.stdout.trim()}: ${/# pass \d+/.exec(stdout)?.[0]}`);
  });
}
