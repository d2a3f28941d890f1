import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { Watchdog } from '../../support/watchdog.ts';

const watchdog = new Watchdog(path.join(import.meta.dirname, 'loops.fixtures.ts'));
after(() => watchdog.close());

// Each loop of the engine with what would keep it going for ever, in a thread that is watched from outside.
for (const [scenario, expected] of [
  ['longerBaseLayer', /^failed: INTEGRITY_SIZE .* bytes come where the manifest says \d+/],
  ['longerBaseLayerInChunks', /^failed: INTEGRITY_SIZE .* sends more than the \d+ bytes/],
  ['endlessConfig', /^failed: INTEGRITY_SIZE .* sends more than the \d+ bytes/],
  ['brokenOnce', /^read$/],
  ['partFromElsewhere', /^INTEGRITY_SIZE .* asked for byte \d+ on, it sends "bytes 0-/],
  ['partFromNowhere', /^INTEGRITY_SIZE .* asked for byte \d+ on, it sends ""/],
  ['neverAByte', /^REGISTRY_UNREACHABLE/],
  ['neverAByteOfTheHub', /^HUB_UNREACHABLE/],
  ['aByteEachTime', /^REGISTRY_UNREACHABLE/],
  ['aByteMoreEachTime', /^REGISTRY_UNREACHABLE/],
  ['sourceWithMore', /^INTEGRITY_SIZE a source: expected 1000 bytes, got 1010/],
  ['sourceWithLess', /^INTEGRITY_SIZE a source: expected 1000 bytes, got 9?[0-9]+/],
  ['sourceWithNothing', /^INTEGRITY_SIZE a source: expected 1000 bytes, got 0/],
  ['tagsInACircle', /^REGISTRY_BAD_ANSWER.* lead in a circle/],
  ['tagsWithoutEnd', /^REGISTRY_BAD_ANSWER .* does not end after 1000 pages/],
  ['referrersInACircle', /^REGISTRY_BAD_ANSWER.* lead in a circle/],
  ['tokensThatNeverCount', /^REGISTRY_UNAUTHORIZED/],
  ['redirectsInACircle', /^REGISTRY_/],
  ['lineageInACircle', /^2 ancestors$/],
  ['filesInACircle', /^HUB_.* goes round in a circle/],
  ['filesWithoutNumber', /^HUB_.* lists more than 100000 files/],
  ['filesWithoutEnd', /^HUB_.* does not end after 1000 pages/],
  ['chunksThatStay', /^REGISTRY_BAD_ANSWER .* took 2 of 3000000 bytes/],
  ['chunksBackAndForth', /^REGISTRY_BAD_ANSWER .* took \d+ of 3000000 bytes/],
] as const) {
  test(`${scenario} comes to an end`, async () => {
    assert.match(await watchdog.run(scenario), expected);
  });
}
