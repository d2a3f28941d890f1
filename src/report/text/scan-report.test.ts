import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanReport } from './scan-report.ts';

test('the names in a table of Trivy move no cursor and command no CI runner', () => {
  const table = '┌──┐\n│ a\u001b[2J\u202e │\n::add-mask::x\n│ ##[error]b │\n└──┘\n';
  const failure = { short: 'x', variant: 'fat', error: { code: 'SCANNER_FAILED', message: 'no' } } as const;
  const shown = scanReport({ schemaVersion: 1, scans: [], failures: [failure] }, [table], {
    columns: 80,
    isColor: false,
  });
  assert.match(shown, /^┌──┐\n│ a.*│\n/);
  assert.doesNotMatch(shown, /\p{Bidi_Control}|##\[|(?:^|\n)::/u);
  assert.ok(!shown.includes('\u001b'));
});
