import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRelease, type Release } from './releases.ts';
import { parseServeArguments } from './serve-arguments.ts';

const release = (version: string): Release => {
  const found = findRelease(version);
  assert.ok(found, version);
  return found;
};

/** What the real parser of that release was seen to do: test/real/vllm-parser.test.ts asks it about more. */
const CASES: readonly [version: string, args: string, faults: string][] = [
  ['0.6.0', '--host 0.0.0.0 --port 8000', ''],
  ['0.33.0', '--max_model_len 4096 --dtype=half -tp 2', ''],
  ['0.33.0', '--max-model-le 4096', ''],
  ['0.33.0', '--max 4096', 'ambiguous'],
  ['0.6.0', '--max-model-len 16k', 'type'],
  ['0.33.0', '--max-model-len 16k', ''],
  ['0.33.0', '--max-model-len auto', ''],
  ['0.8.5', '--max-model-len auto', 'type'],
  ['0.33.0', '--port http', 'type'],
  ['0.33.0', '--port', 'missing-value'],
  ['0.33.0', '--dtype bf16', 'choice'],
  ['0.33.0', '--trust-remote-code true', 'stray'],
  ['0.33.0', '--trust-remote-code=true', 'needless-value'],
  ['0.6.0', '--no-trust-remote-code', 'unknown'],
  ['0.33.0', '--no-trust-remote-code', ''],
  ['0.33.0', '--nope', 'unknown'],
  ['0.33.0', '--task embed', 'unknown'],
  ['0.10.2', '--task embed', ''],
  ['0.33.0', '--hf-overrides.a.b 1', ''],
  ['0.8.5', '--hf-overrides.a.b 1', 'unknown'],
  ['0.33.0', '--served-model-name a b --seed -5', ''],
  ['0.33.0', '-O3', ''],
  ['0.33.0', '--compilation-config {"nope":1}', 'choice'],
  ['0.33.0', '--max-lora-rank 65', 'choice'],
  ['0.33.0', '--quantization None', ''],
];

for (const [version, args, faults] of CASES) {
  test(`vLLM ${version} ${faults === '' ? 'takes' : 'refuses'} ${args}`, () => {
    const parsed = parseServeArguments(args.split(' '), release(version));
    assert.equal(parsed.faults.map(({ kind }) => kind).join(' '), faults);
  });
}

test('the last value of a flag counts, under its own name', () => {
  const { given } = parseServeArguments(['-tp', '2', '--tensor_parallel_size=4'], release('0.33.0'));
  assert.deepEqual(given.get('--tensor-parallel-size')?.values, ['4']);
});
