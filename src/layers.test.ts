import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/** An import points to a lower rank only (or stays in its folder). */
const RANK: Record<string, number> = {
  core: 0,
  http: 1,
  oci: 1,
  spdx: 1,
  config: 2,
  hub: 2,
  layer: 2,
  store: 2,
  policy: 3,
  licenses: 3,
  fit: 3,
  plan: 4,
  image: 5,
  publish: 6,
  inspect: 6,
  retention: 6,
  scan: 6,
  attest: 6,
  report: 7,
  // The catalog's pages show what `report/serve` writes.
  catalog: 8,
  engine: 8,
  cli: 9,
};

const SRC = import.meta.dirname;

test('imports point to a lower rank only', () => {
  const wrong: string[] = [];
  for (const file of sourceFiles()) {
    const from = folderOf(file);
    for (const target of importsOf(file)) {
      const to = folderOf(target);
      if (from === to) continue;
      if (!isAllowed(from, to, file))
        wrong.push(`${path.relative(SRC, file)} imports ${path.relative(SRC, target)}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no folder has a circle of imports inside, types included', () => {
  const graph = new Map<string, string[]>();
  for (const file of sourceFiles()) {
    const inside = importsOf(file).filter(target => folderOf(target) === folderOf(file));
    graph.set(file, inside);
  }
  const circles = circlesIn(graph).map(circle => circle.map(file => path.relative(SRC, file)).join(' -> '));
  assert.deepEqual(circles, []);
});

test('no two folders inside a folder import each other: a model that has left one does not come back', () => {
  const graph = new Map<string, string[]>();
  for (const file of sourceFiles()) {
    const from = innerFolderOf(file);
    if (from === undefined) continue;
    const inside = importsOf(file).filter(target => folderOf(target) === folderOf(file));
    const targets = inside.flatMap(target => innerFolderOf(target) ?? []).filter(to => to !== from);
    graph.set(from, [...(graph.get(from) ?? []), ...targets]);
  }
  const circles = circlesIn(graph).map(circle => circle.join(' -> '));
  assert.deepEqual(circles, []);
});

test('every folder of src has a rank', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter(entry => entry.isDirectory());
  const unknown = folders
    .map(entry => entry.name)
    .filter(name => !(name in RANK) && !['testkit', 'runtime'].includes(name));
  assert.deepEqual(unknown, []);
});

test('the wire types know nothing of models and do no I/O', () => {
  for (const file of sourceFiles().filter(name => folderOf(name) === 'oci' && !name.endsWith('.test.ts'))) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /from 'node:(fs|http|https|net|child_process)/, file);
  }
});

function isAllowed(from: string, to: string, file: string): boolean {
  // Tests and their fixtures may use the testkit; of the product only `demo` does.
  if (to === 'testkit')
    return /\.(?:test|fixtures)\.ts$/.test(file) || path.basename(file).startsWith('demo');
  // The testkit stands in for the outside world, so it shares no more with the product than words.
  if (from === 'testkit') return file.endsWith('.test.ts') || (RANK[to] ?? 99) <= 1;
  const fromRank = RANK[from];
  const toRank = RANK[to];
  if (fromRank === undefined || toRank === undefined) return false;
  return toRank < fromRank;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && entry.parentPath !== SRC)
    .map(entry => path.join(entry.parentPath, entry.name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match =>
    path.resolve(path.dirname(file), match[1] as string),
  );
}

function folderOf(file: string): string {
  return path.relative(SRC, file).split(path.sep)[0] as string;
}

/** `publish/target`; undefined for a file that is directly in its folder, where the recipe of the folders is. */
function innerFolderOf(file: string): string | undefined {
  const [folder, inner, ...rest] = path.relative(SRC, file).split(path.sep);
  return rest.length === 0 ? undefined : `${folder}/${inner}`;
}

/** Every way back to a file that a depth-first walk finds, each as the files along it. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      circles.push([...trail.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return circles;
}
