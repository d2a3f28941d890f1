// Makes everything that a release attaches, in build/release: the package, the bundle, their checksums, and the notes.
//   node scripts/release/prepare.ts [--dry-run]
// Refuses what must not be released: a version without notes, one that is tagged already, a working tree with changes. With
// --dry-run it says so and goes on, with the notes of what is not released yet.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { notesOf } from './notes.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const OUTPUT = path.join(ROOT, 'build/release');
const isDryRun = process.argv.includes('--dry-run');
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
const changelog = readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8');

const own = notesOf(changelog, version);
const faults = [
  ...(own === undefined ? [`CHANGELOG.md has no section "## ${version}" with something in it`] : []),
  ...(git('tag', '--list', `v${version}`) === ''
    ? []
    : [`v${version} is tagged already: raise the version in package.json`]),
  ...(git('status', '--porcelain') === '' ? [] : ['the working tree has changes']),
];
for (const fault of faults) process.stderr.write(`release: ${fault}\n`);
if (faults.length > 0 && !isDryRun) process.exit(1);

rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
// Packing builds, and the bundle is made from that build.
const tarball = run('npm', 'pack', '--silent', '--pack-destination', OUTPUT);
run('node', 'scripts/bundle/make-bundle.ts');
copyFileSync(path.join(ROOT, 'build/weighbridge.mjs'), path.join(OUTPUT, 'weighbridge.mjs'));
const files = [tarball.split('\n').at(-1) ?? '', 'weighbridge.mjs'];
const sums = files.map(file => {
  const hash = createHash('sha256')
    .update(readFileSync(path.join(OUTPUT, file)))
    .digest('hex');
  return `${hash}  ${file}\n`;
});
writeFileSync(path.join(OUTPUT, 'SHA256SUMS'), sums.join(''));
writeFileSync(
  path.join(OUTPUT, 'notes.md'),
  own ?? notesOf(changelog, 'Unreleased') ?? 'Nothing is noted.\n',
);
process.stdout.write(sums.join(''));

function git(...args: string[]): string {
  return run('git', ...args);
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}
