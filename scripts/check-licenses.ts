/**
 * Prints how well license texts that others have collected are read: `npm run check:licenses`. Exits with 1 if one of ScanCode's is read wrong.
 * Debian's differ from machine to machine, and their labels are informal, so they are listed but do not decide.
 */
import { licenseAccuracy } from '../test/support/license-accuracy.ts';

const rows = await licenseAccuracy();
const lines = [
  '| texts of | permissive: right | unidentified | wrong | others | taken for a permissive one |',
  '| --- | --- | --- | --- | --- | --- |',
  ...rows.map(
    ({ source, right, unidentified, wrong, others, taken }) =>
      `| ${source} | ${right} | ${unidentified} | ${wrong.length} | ${others} | ${taken.length} |`,
  ),
];
const errors = rows.flatMap(({ wrong, taken }) => [...wrong, ...taken]);
process.stdout.write(`${[...lines, '', ...errors].join('\n')}\n`);
process.exitCode = rows.some(({ isPinned, wrong, taken }) => isPinned && wrong.length + taken.length > 0)
  ? 1
  : 0;
