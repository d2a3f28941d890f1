import picomatch from 'picomatch';
import type { ModelConfig } from '../config/types.ts';
import type { HubFile } from '../hub/types.ts';

/** Never of use to vLLM. */
const USELESS = ['.gitattributes', '.gitignore', '*.{png,jpg,jpeg,gif,svg,webp,ico,mp4,pdf}'];
/** Weights of other frameworks, which vLLM does not load. */
const OTHER_FRAMEWORKS = ['*.h5', '*.msgpack', '*.onnx', '*.onnx_data', '*.ot', '*.tflite'];
/** Second copies of the weights, in a repository that has them as safetensors, and what training has left as pickles. */
const SECOND_COPIES = ['*.{bin,pt,pth,ckpt,pkl,pickle,joblib,dill}', '*.gguf', 'original/', 'consolidated*'];

/**
 * The repository's files that go into the image. `include` replaces the built-in choice; `exclude` takes away from
 * whichever of the two applies. The order of the snapshot (by path) is kept.
 */
export function chooseFiles(
  files: readonly HubFile[],
  choice: Pick<ModelConfig['files'], 'include' | 'exclude'>,
): HubFile[] {
  const isIncluded = choice.include === null ? not(matcher(builtInExcludes(files))) : matcher(choice.include);
  const isExcluded = matcher(choice.exclude ?? []);
  return files.filter(({ path }) => isIncluded(path) && !isExcluded(path));
}

function builtInExcludes(files: readonly HubFile[]): string[] {
  const isSecondCopy = matcher(SECOND_COPIES);
  // `consolidated.safetensors` alone is the model (Mistral's own format), not a second copy of it.
  const hasShards = files.some(({ path }) => path.endsWith('.safetensors') && !isSecondCopy(path));
  const hasTorch = files.some(({ path }) => /\.(safetensors|bin|pt|pth)$/.test(path));
  return [...USELESS, ...(hasTorch ? OTHER_FRAMEWORKS : []), ...(hasShards ? SECOND_COPIES : [])];
}

/** As in .gitignore: a glob without a slash matches a name in any folder, one that ends in a slash a whole folder. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const tests = globs.map(glob => {
    const pattern = glob.endsWith('/') ? `${glob}**` : glob;
    return picomatch(pattern, { dot: true, nocase: true, basename: !pattern.includes('/') });
  });
  return path => tests.some(test => test(path));
}

function not(test: (path: string) => boolean): (path: string) => boolean {
  return path => !test(path);
}
