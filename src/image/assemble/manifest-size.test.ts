import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { layerDescriptor } from '../format/layer-annotations.ts';
import type { ImagePlatform } from '../types.ts';
import { checkManifestSize } from './manifest-size.ts';

test('an image of so many files that its manifest is larger than registries take is refused before it is made', () => {
  checkManifestSize('acme/x', imageOf(10_000));
  assert.throws(() => checkManifestSize('acme/x', imageOf(30_000)), {
    code: 'IMAGE_TOO_MANY_FILES',
    message: /^acme\/x: 30000 files make a manifest of \d.*MiB, and registries take 4\.0 MiB$/,
  });
});

function imageOf(count: number): ImagePlatform {
  const entries = Array.from({ length: count }, (_, index) => ({
    path: `models/x/${index}.json`,
    mode: 0o644 as const,
    sizeBytes: 1,
    contentId: `git:${'0'.repeat(40)}` as const,
    content: { kind: 'inline', text: 'x' } as const,
  }));
  const recipe: LayerRecipe = { kind: 'files', name: 'files', root: 'models', entries };
  const seal: ImagePlatform['seal'] = layers => {
    const text = JSON.stringify(layers.map(({ spec, layer }) => layerDescriptor(spec.recipe, layer)));
    return { manifest: { bytes: Buffer.from(text) } } as ReturnType<ImagePlatform['seal']>;
  };
  return { layers: [toSpec(recipe)], seal } as unknown as ImagePlatform;
}
