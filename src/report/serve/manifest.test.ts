import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { MANIFEST_KINDS, manifestText } from './manifest.ts';
import type { ServedImage } from './served-image.ts';

const WORDS = [
  ...[
    'yes',
    'no',
    'on',
    '1e3',
    'null',
    '~',
    '0x10',
    '1:30',
    '',
    '{{ x }}',
    'a\nb: c',
    '---',
    '# c',
    '*a',
    '!!binary x',
  ],
  ...[
    '$(HF_TOKEN)',
    '$(HOME)/x',
    '$HOME',
    `\${HF_TOKEN}`,
    '$$',
    '$$(USER)',
    '$$$(USER)',
    'a$',
    '{"a":"$(USER)"}',
    '{{',
    '{{{a}}}',
    '{{- .Name -}} {% if x %}{{ `$(a)` }}',
    '{"a":{"b":"{{c}}"}}',
  ],
];

/** https://github.com/kubernetes/kubernetes/blob/master/third_party/forked/golang/expansion/expand.go */
const inKubernetes = (word: string): string =>
  word.replace(/\$\$|\$\(([^)]*)\)/g, found => (found === '$$' ? '$' : 'expanded'));
/** Actions of Go templates: a string in backquotes stands for itself; any other would be executed. */
const inKserve = (word: string): string =>
  word.replace(/\{\{(?:`([^`]*)`\}\})?/g, (_, string?: string) => string ?? 'executed');
/** https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md */
const inCompose = (word: string): string =>
  word.replace(/\$\$|\$\{[^}]*\}|\$\w+/g, found => (found === '$$' ? '$' : 'expanded'));

const READERS: Readonly<Record<string, (word: string) => string>> = {
  compose: inCompose,
  kserve: word => inKubernetes(inKserve(word)),
};

for (const kind of MANIFEST_KINDS)
  test(`--for ${kind}: words of an image arrive as they are, whatever they mean to YAML 1.1, Kubernetes or Compose`, () => {
    const hash = 'a'.repeat(64);
    const served: ServedImage = {
      reference: `ghcr.io/acme/hf-x@sha256:${hash}`,
      tagged: { reference: 'ghcr.io/acme/hf-x:v1-weights', isImmutable: true },
      ...{ name: 'hf-x', modelId: `acme/$(HOME)\${HOME}`, variant: 'weights', dir: '/models/x', port: 8000 },
      serveArgs: WORDS.map(word => `--x=${word}`).concat('--y', ...WORDS),
      ...{ gpus: 1, modelBytes: 5, server: `docker.io/vllm/vllm-openai:v0.11.0@sha256:${hash}` },
    };
    const read = READERS[kind] ?? inKubernetes;
    const lists = parseAllDocuments(manifestText(kind, served), { version: '1.1' }).flatMap(document =>
      listsIn(document.toJS()),
    );
    const args = lists.find(list => list.includes('--y'));
    if (kind === 'prepull') return assert.equal(args, undefined);
    assert.deepEqual(args?.slice(args.indexOf('--y') + 1).map(read), WORDS);
    assert.deepEqual(
      args.filter(word => word.startsWith('--x=')).map(read),
      WORDS.map(word => `--x=${word}`),
    );
    const name = args.indexOf('--served-model-name');
    if (name !== -1) assert.equal(read(args[name + 1] ?? ''), served.modelId);
  });

function listsIn(value: unknown): string[][] {
  if (Array.isArray(value))
    return [value.filter(item => typeof item === 'string'), ...value.flatMap(listsIn)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listsIn) : [];
}
