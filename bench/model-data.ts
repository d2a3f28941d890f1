import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { generatedSafetensors } from '../src/testkit/sample-model.ts';

/** A model of random weights: every file has its name on the Hub, and several may be one file on disk. */
export interface BenchModel {
  readonly id: string;
  readonly revision: string;
  readonly folder: string;
  readonly files: readonly BenchFile[];
  readonly weightBytes: number;
}

export interface BenchFile {
  readonly path: string;
  /** The file in `folder` that has its bytes. */
  readonly storedAs: string;
  readonly sizeBytes: number;
  readonly sha256?: string;
  readonly gitOid: string;
}

const SMALL: Readonly<Record<string, string>> = {
  'README.md': '---\nlicense: apache-2.0\n---\n# Random weights\n',
  'config.json': '{"model_type":"llama"}\n',
  'tokenizer_config.json': '{}\n',
};
const BLOCK_BYTES = 8 * 1024 * 1024;
/** Of a weight file, all of one size. */
const TENSORS = 64;
/** No more than this is made; a larger model repeats files under other names, which are other layers. */
const MAX_DISTINCT_FILES = 4;

/** Makes `count` weight files of `sizeBytes` in `folder`, four distinct ones at most. */
export function makeModel(folder: string, count: number, sizeBytes: number): BenchModel {
  mkdirSync(folder, { recursive: true });
  const distinct = Array.from({ length: Math.min(count, MAX_DISTINCT_FILES) }, (_, index) =>
    makeWeights(folder, `weights-${index}`, sizeBytes),
  );
  const weights = Array.from({ length: count }, (_, index): BenchFile => {
    const { storedAs, sha256 } = distinct[index % distinct.length] as { storedAs: string; sha256: string };
    const number = (n: number): string => String(n).padStart(5, '0');
    const name = `model-${number(index + 1)}-of-${number(count)}.safetensors`;
    return { path: name, storedAs, sizeBytes, sha256, gitOid: gitOid(Buffer.from(sha256)) };
  });
  const small = Object.entries(SMALL).map(([name, text]): BenchFile => {
    writeFileSync(path.join(folder, name), text);
    return { path: name, storedAs: name, sizeBytes: text.length, gitOid: gitOid(Buffer.from(text)) };
  });
  return {
    id: 'acme/random',
    revision: createHash('sha1').update(`${count} ${sizeBytes}`).digest('hex'),
    folder,
    files: [...small, ...weights],
    weightBytes: count * sizeBytes,
  };
}

/** The model at a later commit, with new bytes in its first weight file. */
export function changeFile(model: BenchModel): BenchModel {
  const first = model.files.find(file => file.sha256 !== undefined);
  if (first === undefined) throw new RangeError('a model without weights');
  const { storedAs, sha256 } = makeWeights(model.folder, 'weights-changed', first.sizeBytes);
  const files = model.files.map(file => (file === first ? { ...file, storedAs, sha256 } : file));
  return { ...model, files, revision: createHash('sha1').update(sha256).digest('hex') };
}

function makeWeights(folder: string, name: string, sizeBytes: number): { storedAs: string; sha256: string } {
  const hash = createHash('sha256');
  const file = openSync(path.join(folder, name), 'w');
  const write = (bytes: Uint8Array): void => {
    hash.update(bytes);
    writeSync(file, bytes);
  };
  const { head = Buffer.alloc(0) } = generatedSafetensors(sizeBytes, name, TENSORS);
  write(head);
  for (let left = sizeBytes - head.length; left > 0; left -= BLOCK_BYTES)
    write(randomFillSync(Buffer.allocUnsafe(Math.min(BLOCK_BYTES, left))));
  closeSync(file);
  return { storedAs: name, sha256: hash.digest('hex') };
}

function gitOid(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** What the Hub's API says of the model. */
export function modelInfo({ id, revision, files }: BenchModel): string {
  return JSON.stringify({
    id,
    sha: revision,
    gated: false,
    private: false,
    disabled: false,
    cardData: { license: 'apache-2.0' },
    tags: ['license:apache-2.0'],
    siblings: files.map(({ path: rfilename, sizeBytes: size, sha256, gitOid: blobId }) => ({
      rfilename,
      size,
      blobId,
      ...(sha256 === undefined ? {} : { lfs: { sha256, size, pointerSize: 134 } }),
    })),
  });
}
