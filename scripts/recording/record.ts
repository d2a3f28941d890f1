// Records docs/recording.svg, the first thing that README shows: a plan and a publish of two models from the embedded Hub to two
// embedded registries that are slow enough to watch. Needs tmux. npm run record
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MIB } from '../../src/core/units.ts';
import { sampleModelFiles, startHub, startRegistry } from '../../src/testkit/index.ts';
import { recordTerminal } from '../../test/support/tmux.ts';
import { putBase } from '../../test/support/world.ts';
import { recordingSvg, type Screen } from './svg.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const COLUMNS = 100;
const ROWS = 26;
/** No screen is shown for less, so that the SVG stays small. */
const SHORTEST_MS = 280;

const hub = await startHub({ token: 'hf_example' });
const registries = await Promise.all([5001, 5002].map(port => startRegistry({ host: 'localhost', port })));
const folder = await mkdtemp(path.join(tmpdir(), 'recording-'));
try {
  const [first] = registries;
  if (first === undefined) throw new TypeError('no registry');
  putBase(first, 'v0.11.0');
  const { 'model.safetensors.index.json': _, ...small } = await sampleModelFiles();
  const shards = Array.from({ length: 3 }, (_, index) => [
    `model-0000${index + 1}-of-00003.safetensors`,
    { sizeBytes: (20 + 6 * index) * MIB, seed: index + 1 },
  ]);
  const kept = Object.entries(small).filter(([name]) => !name.endsWith('.safetensors'));
  await hub.addModel({ id: 'Qwen/Qwen3-4B', files: Object.fromEntries([...kept, ...shards]) });
  await hub.addModel({
    id: 'meta-llama/Llama-3.2-1B',
    gated: 'manual',
    files: {
      ...Object.fromEntries(kept),
      'README.md': '---\nlicense: llama3.2\n---\n',
      'model.safetensors': { sizeBytes: 24 * MIB, seed: 9 },
    },
  });
  for (const registry of registries)
    registry.faults.add({
      match: /^(PATCH|PUT) /,
      kind: 'slow',
      bytesPerSecond: 5 * MIB,
      delayMs: 20,
      times: 10_000,
    });
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries:
  lab: localhost:5001/acme
  edge: localhost:5002/acme
defaults:
  base_image: localhost:5001/vllm/vllm-openai:v0.11.0
  tags: ["{version}-{variant}"]
models:
  - id: Qwen/Qwen3-4B
    short: qwen3-4b
  - id: meta-llama/Llama-3.2-1B
    short: llama32-1b
`,
  );
  await writeFile(path.join(folder, 'play.sh'), commands());
  const { frames, atMs, status } = await recordTerminal(['bash', path.join(folder, 'play.sh')], {
    columns: COLUMNS,
    rows: ROWS,
    name: 'readme',
    hasStyles: true,
    env: {
      HF_ENDPOINT: hub.url,
      HF_TOKEN: 'hf_example',
      DOCKER_CONFIG: folder,
      XDG_CACHE_HOME: folder,
      BIN: path.join(ROOT, 'bin/weighbridge.mjs'),
      FOLDER: folder,
    },
  });
  if (status !== 0) throw new Error(`the recorded commands ended with ${status}:\n${frames.at(-1)}`);
  const screens = frames
    .map((text, index) => ({ text: text.replace(/\n?Pane is dead[^\n]*/, ''), atMs: atMs[index] ?? 0 }))
    .filter(({ text }) => text.trim() !== '');
  const startMs = screens[0]?.atMs ?? 0;
  const sampled = sample(screens.map(screen => ({ ...screen, atMs: screen.atMs - startMs })));
  // The end of the first publish: the second one has nothing to do.
  const poster = sampled.findLastIndex(({ text }) => /\d+ published/.test(text));
  if (poster === -1) throw new Error('no screen shows that something was published');
  const svg = recordingSvg(sampled, {
    columns: COLUMNS,
    rows: ROWS,
    poster,
    title: 'weighbridge plan and weighbridge publish of two models in a terminal',
  });
  await writeFile(path.join(ROOT, 'docs/recording.svg'), svg);
  process.stdout.write(
    `docs/recording.svg: ${sampled.length} screens, ${Math.ceil(svg.length / 1024)} KiB\n`,
  );
} finally {
  await rm(folder, { recursive: true });
  await Promise.all([hub.close(), ...registries.map(registry => registry.close())]);
}

/** One screen for each stretch of SHORTEST_MS: the last that it showed. */
function sample(screens: readonly Screen[]): Screen[] {
  const kept: Screen[] = [];
  for (const screen of screens) {
    const last = kept.at(-1);
    if (last !== undefined && screen.atMs - last.atMs < SHORTEST_MS)
      kept[kept.length - 1] = { ...screen, atMs: last.atMs };
    else kept.push(screen);
  }
  return kept;
}

/** The commands, typed as a person would. */
function commands(): string {
  return `cd "$FOLDER"
weighbridge() { "$BIN" "$@"; }
type_line() {
  printf '\\033[1;32m$\\033[0m '
  for ((i = 0; i < \${#1}; i++)); do printf '%s' "\${1:i:1}"; sleep 0.05; done
  sleep 0.4; echo
}
type_line 'cat models.yaml'; cat models.yaml; sleep 3.5; clear
type_line 'weighbridge plan --no-reasons'; weighbridge plan --no-reasons || exit; sleep 4; clear
type_line 'weighbridge plan --explain llama32-1b'; weighbridge plan --explain llama32-1b || exit; sleep 6; clear
type_line 'weighbridge publish'; weighbridge publish || exit; sleep 5; clear
type_line 'weighbridge publish'; weighbridge publish || exit
sleep 1
`;
}
