import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InspectedImage, runsOf, useOf } from './inspect-json.ts';

const REFERENCE = 'ghcr.io/acme/hf-x:tag';

/** An image with what the commands are made of, and nothing else. */
function inspected(variant: string): InspectedImage {
  const model = { id: 'acme/x', revision: '0'.repeat(40), variant, dir: '/models/x' };
  const image = { model, container: {} };
  return { image, files: [], referrers: [] } as unknown as InspectedImage;
}

for (const [variant, run, use] of [
  ['slim', /^docker run [\s\S]*-v models:\/models [\s\S]*ghcr\.io\/acme\/hf-x:tag$/, null],
  ['fat', /^docker run [\s\S]*ghcr\.io\/acme\/hf-x:tag$/, null],
  [
    'weights',
    null,
    /^weighbridge manifest ghcr\.io\/acme\/hf-x:tag --for image-volume --server <vLLM image>$/,
  ],
  ['modelpack', null, /^modctl pull ghcr\.io\/acme\/hf-x:tag --extract-dir model$/],
] as const) {
  test(`${variant}: ${run === null ? 'nothing in it runs, and its weights go where something does' : 'the command that runs it'}`, () => {
    const runs = runsOf(REFERENCE, inspected(variant));
    const way = useOf(REFERENCE, inspected(variant));
    if (run === null) assert.equal(runs, null);
    else assert.match(runs?.docker ?? '', run);
    if (use === null) assert.equal(way, null);
    else assert.match(way ?? '', use);
    assert.deepEqual(
      [runsOf('oci:out:tag', inspected(variant)), useOf('oci:out:tag', inspected(variant))],
      [null, null],
    );
  });
}
