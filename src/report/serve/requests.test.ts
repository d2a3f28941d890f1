import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRequests } from './requests.ts';

const PATHS: readonly (readonly [string | null, readonly string[]])[] = [
  ['generate', ['/v1/chat/completions']],
  ['multimodal', ['/v1/chat/completions']],
  ['embed', ['/v1/embeddings']],
  ['classify', ['/classify', '/rerank']],
  ['reward', ['/pooling']],
  ['transcribe', ['/v1/audio/transcriptions']],
  ['draft', []],
  ['something newer', ['/v1/chat/completions']],
  [null, ['/v1/chat/completions']],
];

for (const [task, paths] of PATHS) {
  test(`the requests of ${task}: ${paths.join(', ') || 'none'}`, () => {
    const requests = sampleRequests(task, "acme/it's", 9000);
    assert.deepEqual(
      requests.map(({ text }) => /http:\/\/localhost:9000(\S+)/.exec(text)?.[1]),
      paths,
    );
    for (const { text } of requests) {
      const [, body] = /-d '(.*)'$/s.exec(text) ?? [];
      // As a shell reads it.
      if (body !== undefined) assert.equal(JSON.parse(body.replaceAll("'\\''", "'")).model, "acme/it's");
      else assert.match(text, /-F 'model=acme\/it'\\''s'$/);
    }
  });
}
