import { safetensorsFile, seededRandom } from '../../src/testkit/sample/safetensors.ts';
import { MODEL_FILES, type World } from './world.ts';

/** As many bytes of a layer as the first registry takes. */
export const LIMIT = 1_000_000;
export const TENSORS = Array.from({ length: 12 }, (_, index) => ({
  name: `model.layers.${index}.weight`,
  shape: [100 + index, 1000],
}));
export const WHOLE = safetensorsFile(TENSORS, seededRandom(1));
/** What it becomes. */
export const PARTS = ['model-00001-of-00003', 'model-00002-of-00003', 'model-00003-of-00003'];
export const SMALL_FILES = {
  'README.md': MODEL_FILES['README.md'],
  LICENSE: MODEL_FILES.LICENSE,
  'config.json': MODEL_FILES['config.json'],
};
/** A model of one file of weights that is above the limit. */
export const SHARDED = { ...SMALL_FILES, 'model.safetensors': WHOLE };

/** `models.yaml` of the world, with limits. */
export const limited = (world: World, limits = `{ r0: ${LIMIT} }`): string =>
  `layer_limits: ${limits}\n${world.config('acme/x')}`;
