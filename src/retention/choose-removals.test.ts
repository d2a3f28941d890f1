import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../core/digest.ts';
import { chooseRemovals, removeAll } from './choose-removals.ts';
import type { GraphNode, RepositoryGraph, RetentionRules } from './types.ts';

const id = (index: number): Digest => `sha256:${index.toString(16).padStart(64, '0')}`;
const ours = (variant: string, created: string) => ({
  'io.weighbridge.model.id': 'acme/x',
  'io.weighbridge.variant': variant,
  'org.opencontainers.image.version': 'v1',
  'org.opencontainers.image.created': created,
});

function node(index: number, more: Partial<GraphNode> = {}): GraphNode {
  const blobs = new Map([[id(1000 + index), 10]]);
  return {
    digest: id(index),
    sizeBytes: 1,
    children: [],
    blobs,
    artifactType: undefined,
    annotations: {},
    ...more,
  };
}

function graphOf(
  nodes: readonly GraphNode[],
  tags: Readonly<Record<string, number>>,
  more: Partial<RepositoryGraph> = {},
): RepositoryGraph {
  return {
    repository: 'r.example/x',
    tags: new Map(Object.entries(tags).map(([tag, index]) => [tag, id(index)])),
    nodes: new Map(nodes.map(one => [one.digest, one])),
    referrers: new Map(),
    ownedTags: new Map(),
    ...more,
  };
}

const rules = (more: Partial<RetentionRules> = {}): RetentionRules => ({
  tags: new Set(),
  keep: 1,
  youngerThanMs: undefined,
  nowMs: 0,
  publishedAtMs: () => undefined,
  ...more,
});

test('the tags of the file and the newest of each variant stay, the rest goes', () => {
  const nodes = [1, 2, 3, 4].map(index => node(index, { annotations: ours('fat', `2026-0${index}-01`) }));
  const graph = graphOf(nodes, { a: 1, b: 2, c: 3, d: 4 });
  const plan = chooseRemovals(graph, rules({ tags: new Set(['a']) }));
  assert.deepEqual(plan.kept.map(({ tags }) => tags[0]).sort(), ['a', 'd']);
  assert.deepEqual(plan.removed.map(({ tags }) => tags[0]).sort(), ['b', 'c']);
  assert.deepEqual([...plan.deletions].sort(), [id(2), id(3)]);
  assert.equal(plan.freedBytes, 22);
});

test('what stays and goes is listed by variant and tag, whatever the order in which a registry names its tags', () => {
  const variants = ['modelpack', 'slim', 'fat', 'slim', 'fat', 'weights'];
  const nodes = variants.map((variant, index) => node(index, { annotations: ours(variant, '2026-01-01') }));
  const plan = chooseRemovals(
    graphOf([...nodes, node(6)], { e: 6, z: 0, d: 1, c: 2, b: 3, a: 4, y: 5 }),
    rules(),
  );
  assert.deepEqual(
    plan.kept.map(({ tags }) => tags[0]),
    ['b', 'd', 'a', 'c', 'y', 'z', 'e'],
  );
  const all = removeAll(graphOf(nodes, { z: 0, d: 1, c: 2, b: 3, a: 4, y: 5 }));
  assert.deepEqual(all.deletions, [3, 1, 4, 2, 5, 0].map(id));
});

test('an age that nothing tells is young', () => {
  const nodes = [1, 2, 3].map(index => node(index, { annotations: ours('fat', `2026-0${index}-01`) }));
  const graph = graphOf(nodes, { a: 1, b: 2, c: 3 });
  const publishedAtMs = (digest: Digest) => (digest === id(1) ? 0 : undefined);
  const plan = chooseRemovals(graph, rules({ youngerThanMs: 10, nowMs: 10, publishedAtMs }));
  assert.deepEqual(
    plan.removed.map(({ tags }) => tags[0]),
    ['a'],
  );
  assert.match(plan.kept.find(({ tags }) => tags[0] === 'b')?.reason ?? '', /does not tell/);
});

test('a platform that an index which stays shares with one that goes stays', () => {
  const nodes = [
    node(1, { children: [id(3), id(4)], annotations: ours('fat', '2026-01-01'), blobs: new Map() }),
    node(2, { children: [id(4), id(5)], annotations: ours('fat', '2026-02-01'), blobs: new Map() }),
    node(3),
    node(4),
    node(5),
  ];
  const plan = chooseRemovals(graphOf(nodes, { old: 1, new: 2 }), rules());
  assert.deepEqual(plan.deletions, [id(1), id(3)]);
});

test('one image after the other: a prune that ends early leaves parts of one image at most', () => {
  const nodes = [
    node(1, { children: [id(4), id(5)], annotations: ours('fat', '2026-01-01') }),
    node(2, { children: [id(5), id(6)], annotations: ours('fat', '2026-02-01') }),
    node(3, { annotations: ours('fat', '2026-03-01') }),
    ...[4, 5, 6, 7].map(index => node(index)),
  ];
  const graph = graphOf(nodes, { a: 1, b: 2, c: 3 }, { referrers: new Map([[id(4), [id(7)]]]) });
  assert.deepEqual(chooseRemovals(graph, rules()).deletions, [1, 4, 7, 2, 5, 6].map(id));
});

test('referrers and their list go after their subject; those of what stays stay', () => {
  const nodes = [
    node(1, { annotations: ours('fat', '2026-01-01') }),
    node(2, { annotations: ours('fat', '2026-02-01') }),
    node(3, { artifactType: 'sig' }),
    node(4, { artifactType: 'sig' }),
    node(5, { children: [id(3)] }),
  ];
  const list = `sha256-${id(1).slice(7)}`;
  const graph = graphOf(
    nodes,
    { old: 1, new: 2, [list]: 5 },
    {
      referrers: new Map([
        [id(1), [id(3)]],
        [id(2), [id(4)]],
      ]),
      ownedTags: new Map([[list, id(1)]]),
    },
  );
  assert.deepEqual(chooseRemovals(graph, rules()).deletions, [id(1), id(3), id(5)]);
});

test('what is not ours stays, and so does all of it when a model has left the file', () => {
  const nodes = [
    node(1, { children: [id(2)] }),
    node(2),
    node(3, { annotations: ours('slim', '2026-01-01') }),
  ];
  const graph = graphOf(nodes, { theirs: 1, mine: 3 });
  assert.deepEqual(chooseRemovals(graph, rules()).deletions, []);
  assert.deepEqual(removeAll(graph).deletions, [id(3)]);
});

test('nothing that a kept tag reaches is ever deleted, whatever the graph', () => {
  const graphs = fc
    .record({
      size: fc.integer({ min: 1, max: 14 }),
      edges: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 25 }),
      refers: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 12 }),
      tags: fc.array(fc.nat(13), { minLength: 1, maxLength: 8 }),
      lists: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 3 }),
      isOurs: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
      keep: fc.integer({ min: 1, max: 3 }),
      current: fc.array(fc.nat(7), { maxLength: 3 }),
    })
    .map(({ size, edges, refers, tags, lists, isOurs, keep, current }) => {
      const inside = (pair: readonly [number, number]) => pair[0] < size && pair[1] < size;
      // Content addressing allows no circle: an index names what was there before it.
      const children = (index: number) =>
        edges
          .filter(inside)
          .filter(([from, to]) => from === index && to > from)
          .map(([, to]) => id(to));
      const nodes = Array.from({ length: size }, (_, index) =>
        node(index, {
          children: children(index),
          annotations: isOurs[index] ? ours(index % 2 ? 'fat' : 'slim', `2026-01-${10 + index}`) : {},
        }),
      );
      const referrers = new Map<Digest, Digest[]>();
      for (const [subject, referrer] of refers.filter(inside))
        if (referrer < subject)
          referrers.set(id(subject), [...(referrers.get(id(subject)) ?? []), id(referrer)]);
      const named = Object.fromEntries(tags.map((index, at) => [`t${at}`, index % size]));
      const owned = lists
        .filter(inside)
        .map(([subject, list]) => [`sha256-${id(subject).slice(7)}`, subject, list] as const);
      const graph = graphOf(
        nodes,
        { ...named, ...Object.fromEntries(owned.map(([tag, , list]) => [tag, list])) },
        { referrers, ownedTags: new Map(owned.map(([tag, subject]) => [tag, id(subject)])) },
      );
      return { graph, rules: rules({ keep, tags: new Set(current.map(at => `t${at}`)) }) };
    });
  fc.assert(
    fc.property(graphs, ({ graph, rules: given }) => {
      const plan = chooseRemovals(graph, given);
      const gone = new Set(plan.deletions);
      // Reached another way than the code under test: children and referrers of what is kept, step by step.
      const needed = new Set<Digest>(plan.kept.map(({ digest }) => digest));
      for (let before = -1; before !== needed.size; ) {
        before = needed.size;
        for (const digest of [...needed]) {
          for (const next of graph.nodes.get(digest)?.children ?? []) needed.add(next);
          for (const next of graph.referrers.get(digest) ?? []) needed.add(next);
        }
      }
      for (const digest of needed) assert.ok(!gone.has(digest), `${digest} is needed and deleted`);
      for (const tag of given.tags) {
        const digest = graph.tags.get(tag);
        if (digest !== undefined) assert.ok(!gone.has(digest), `${tag} is of the file and deleted`);
      }
      assert.equal(gone.size, plan.deletions.length);
      for (const { digest } of plan.removed) assert.ok(gone.has(digest));
      // A cut anywhere leaves no index without a part: what names a part goes before it.
      const position = new Map(plan.deletions.map((digest, index) => [digest, index]));
      for (const [digest, index] of position)
        for (const child of graph.nodes.get(digest)?.children ?? []) {
          const at = position.get(child);
          const isList = [...graph.ownedTags].some(([tag]) => graph.tags.get(tag) === digest);
          if (at !== undefined && !isList)
            assert.ok(at > index, `${child} goes before the index that names it`);
        }
    }),
    { numRuns: 500 },
  );
});
