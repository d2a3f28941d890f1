import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedAdapter } from '../../plan/types.ts';
import { modelConfig } from '../../policy/decide.fixtures.ts';
import { ownServeArgs } from './serve-command.ts';

function args(serveArgs: readonly string[], baseImage = 'vllm/vllm-openai:v0.33.0'): string[] {
  const adapters = [
    { adapter: { name: 'sql' }, rank: 12 },
    { adapter: { name: 'chat' }, rank: null },
  ] as unknown as PlannedAdapter[];
  return ownServeArgs({ model: modelConfig({ serveArgs, baseImage }), adapters });
}

const SQL = 'sql=/models/x-adapters/sql';
const CHAT = 'chat=/models/x-adapters/chat';
const CASES: readonly [serveArgs: readonly string[], expected: readonly string[]][] = [
  [[], ['--enable-lora', '--lora-modules', SQL, CHAT, '--max-lora-rank', '16']],
  [
    ['--port', '1'],
    ['--enable-lora', '--lora-modules', SQL, CHAT, '--max-lora-rank', '16', '--port', '1'],
  ],
  [
    ['--enable_lora', '--max_lora_rank=64'],
    ['--lora-modules', SQL, CHAT, '--enable_lora', '--max_lora_rank=64'],
  ],
  [['--no-enable-lora'], ['--lora-modules', SQL, CHAT, '--max-lora-rank', '16', '--no-enable-lora']],
  [
    ['--lora-modules', 'own=/own', 'sql=/mine', '--port', '1'],
    [
      '--enable-lora',
      '--max-lora-rank',
      '16',
      '--lora-modules',
      CHAT,
      'own=/own',
      'sql=/mine',
      '--port',
      '1',
    ],
  ],
  [
    ['--lora-modules=own=/own'],
    ['--enable-lora', '--max-lora-rank', '16', '--lora-modules', SQL, CHAT, 'own=/own'],
  ],
  [
    ['--lora-modules', '{"name": "sql", "path": "/p"}'],
    ['--enable-lora', '--max-lora-rank', '16', '--lora-modules', CHAT, '{"name": "sql", "path": "/p"}'],
  ],
];

for (const [serveArgs, expected] of CASES) {
  test(`flags of adapters beside ${JSON.stringify(serveArgs)}`, () => {
    assert.deepEqual(args(serveArgs), expected);
    // What an image records is what it is made of again.
    assert.deepEqual(args(expected), expected);
  });
}

test('without adapters the arguments are as they are', () => {
  const serveArgs = ['--lora-modules', 'own=/own'];
  assert.deepEqual(ownServeArgs({ model: modelConfig({ serveArgs }) }), serveArgs);
});
