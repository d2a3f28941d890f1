import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...globSync('docs/*.md', { cwd: ROOT }),
];

test('every link to a file of the repository leads to one, and every anchor to a heading', () => {
  const broken: string[] = [];
  let count = 0;
  for (const page of pages) {
    for (const link of linksOf(textOf(page))) {
      count += 1;
      const [file, anchor] = link.split('#');
      const target = file === '' || file === undefined ? page : path.join(path.dirname(page), file);
      if (!existsSync(path.join(ROOT, target))) broken.push(`${page}: ${link}`);
      else if (anchor !== undefined && !anchorsOf(textOf(target)).has(anchor))
        broken.push(`${page}: ${link}`);
    }
  }
  assert.ok(count > 100, `${count} links`);
  assert.deepEqual(broken, []);
});

test('the list of pages in docs/README.md is complete', () => {
  const listed = new Set(linksOf(textOf('docs/README.md')).map(link => `docs/${link.split('#')[0]}`));
  const missing = pages.filter(
    page => page.startsWith('docs/') && page !== 'docs/README.md' && !listed.has(page),
  );
  assert.deepEqual(missing, []);
});

function textOf(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** Relative links and pictures, outside of code. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter(link => !/^[a-z]+:/.test(link));
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    found.add(anchor);
  }
  return found;
}
