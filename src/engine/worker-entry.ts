/** Returns the module that a worker thread runs. The sources run as they are in a clone; a package has them compiled. */
export function blobWorkerEntry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./blob-worker.${extension}`, import.meta.url);
}
