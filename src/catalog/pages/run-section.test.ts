import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogImage, CatalogModel } from '../catalog-data.ts';
import { documentText } from '../html.ts';
import { runSection } from './run-section.ts';

const REVISION = '0123456789abcdef0123456789abcdef01234567';
const COMMIT_TAG = `r${REVISION}-weights`;

type Places = CatalogImage['places'];

const place = (repository: string, ...tags: string[]): Places[number] => ({
  registry: 'r',
  repository,
  tags,
});

function shown(places: Places): string {
  const image = {
    digest: `sha256:${'a'.repeat(64)}`,
    variant: 'weights',
    revision: REVISION,
    base: null,
    port: 8000,
    dir: '/models/x',
    places,
  } as unknown as CatalogImage;
  const model = { id: 'acme/x', short: 'x', facts: {}, serveArgs: [], images: [image] };
  return documentText(runSection(model as unknown as CatalogModel, [image]));
}

test('weights are offered for KubeAI by a tag of the commit that each of their registries has', () => {
  const tags = ['weights', COMMIT_TAG];
  const one = shown([place('ghcr.io/acme/hf-x', ...tags)]);
  assert.ok(one.includes(`url: oci://ghcr.io/acme/hf-x:${COMMIT_TAG}\n`), one);
  assert.match(
    shown([place('ghcr.io/acme/hf-x', ...tags), place('quay.io/acme/hf-x', COMMIT_TAG)]),
    /KubeAI/,
  );
});

test('weights are not offered for KubeAI without such a tag, or at an address that KubeAI refuses', () => {
  const has = place('ghcr.io/acme/hf-x', 'weights', COMMIT_TAG);
  const places: readonly Places[] = [
    [place('ghcr.io/acme/hf-x', 'weights')],
    [has, place('quay.io/acme/hf-x', 'weights')],
    [place('[::1]:5000/acme/hf-x', COMMIT_TAG)],
  ];
  for (const one of places) {
    const text = shown(one);
    assert.doesNotMatch(text, /KubeAI/);
    assert.match(text, /KServe/);
  }
});
