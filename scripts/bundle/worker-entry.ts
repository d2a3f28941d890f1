/** In the bundle in place of src/engine/worker-entry.ts: a worker thread runs the same file. */
export function blobWorkerEntry(): URL {
  return new URL(import.meta.url);
}
