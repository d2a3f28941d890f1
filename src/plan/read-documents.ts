import { isTemplateInDoubt } from '../fit/check-documents.ts';
import type { ModelDocuments } from '../fit/types.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { SmallFiles } from './small-files.ts';

/** The configs of models with a token for every word of a document have 100 KB. */
const MAX_BYTES = 2 * 1024 * 1024;

/** Returns the small files of a repository that say what the model is. Throws HubError, IntegrityError. */
export async function readDocuments(files: SmallFiles, snapshot: ModelSnapshot): Promise<ModelDocuments> {
  const read = async (...names: readonly string[]): Promise<unknown> => {
    const file = snapshot.files.find(({ path, sizeBytes }) => names.includes(path) && sizeBytes <= MAX_BYTES);
    const bytes = file && (await files.read(snapshot, file));
    return bytes && parse(bytes);
  };
  const [config, tokenizerConfig] = await Promise.all([
    read('config.json', 'params.json'),
    isTemplateInDoubt({ modelId: snapshot.id, files: snapshot.files })
      ? read('tokenizer_config.json')
      : undefined,
  ]);
  return { config, tokenizerConfig };
}

/** What is not JSON says nothing. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
