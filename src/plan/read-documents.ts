import { parseJson } from '../core/json-shape.ts';
import { isTemplateInDoubt } from '../fit/check-documents.ts';
import type { ModelDocuments } from '../fit/types.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { SmallFiles } from './small-files.ts';

/** The configs of models with a token for every word of a document have 100 KB. */
const MAX_BYTES = 2 * 1024 * 1024;

/** Returns the small files of a repository that say what the model is. Throws HubError, IntegrityError. */
export async function readDocuments(files: SmallFiles, snapshot: ModelSnapshot): Promise<ModelDocuments> {
  const [config, tokenizerConfig] = await Promise.all([
    readJson(files, snapshot, ['config.json', 'params.json']),
    isTemplateInDoubt({ modelId: snapshot.id, files: snapshot.files })
      ? readJson(files, snapshot, ['tokenizer_config.json'])
      : undefined,
  ]);
  return { config, tokenizerConfig };
}

/** Returns the first of these files that there is; undefined for what may not be read, is too long or is not JSON. */
export async function readJson(
  files: SmallFiles,
  snapshot: ModelSnapshot,
  names: readonly string[],
): Promise<unknown> {
  const file = snapshot.files.find(({ path, sizeBytes }) => names.includes(path) && sizeBytes <= MAX_BYTES);
  const bytes = file && (await files.read(snapshot, file));
  return bytes && parse(bytes);
}

/** What is not JSON says nothing. */
function parse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
