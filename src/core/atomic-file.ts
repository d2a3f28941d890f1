import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes a file that is there whole or not at all: under another name in the same folder, then renamed. A link that has
 * the name is replaced, not written through. Throws what the system says; nothing is left over then.
 */
export async function writeFileAtomically(
  file: string,
  data: string | Uint8Array,
  { mode }: { readonly mode?: number } = {},
): Promise<void> {
  const part = path.join(path.dirname(file), `.${path.basename(file)}-${randomUUID()}.part`);
  try {
    await writeFile(part, data, { flag: 'wx', ...(mode === undefined ? {} : { mode }) });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
