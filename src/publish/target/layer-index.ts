import { constants } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from '../../core/atomic-file.ts';
import { parseJson } from '../../core/json-shape.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { type ResolvedLayer, readLayerDescriptor } from '../../image/format/layer-annotations.ts';
import type { Descriptor } from '../../oci/types.ts';

/**
 * What layers were made here and which digests they got. Without it, a publish that was broken off before its first
 * manifest would not know again what it has brought to the registry already. A hint and no more: a layer counts only
 * once a registry has said that it holds it, so nothing is lost where the index is.
 */
export interface LayerIndex {
  find(key: string): Promise<ResolvedLayer | undefined>;
  /** `descriptor` as it is in a manifest. Never throws. */
  add(descriptor: Descriptor): Promise<void>;
}

/** A named pipe in its place is an error then, and is not waited for. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** A larger index is cut to the newest half of it. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** What one long run may have added to it. */
const MAX_READ_BYTES = 16 * MAX_FILE_BYTES;

/** Returns an index of layers in a file of one descriptor a line, to which any number of processes may append. */
export function openLayerIndex(file: string): LayerIndex {
  let loading: Promise<(key: string) => ResolvedLayer | undefined> | undefined;
  let making: Promise<unknown> | undefined;
  /** By key, each as its line: as an object it would take several times as much memory. */
  const added = new Map<string, string>();
  return {
    async find(key) {
      loading ??= load(file);
      const line = added.get(key);
      return line === undefined ? (await loading)(key) : readLine(line);
    },
    async add(descriptor) {
      const layer = readLayerDescriptor(descriptor);
      if (layer === undefined) return;
      const line = JSON.stringify(descriptor);
      added.set(layer.key, line);
      try {
        making ??= mkdir(path.dirname(file), { recursive: true });
        await making;
        await appendFile(file, `${line}\n`, { flag: APPEND });
      } catch {
        // A machine on which nothing can be kept publishes as well as any other.
      }
    },
  };
}

/** Keeps the file's bytes and what line each layer is in: see `added`. */
async function load(file: string): Promise<(key: string) => ResolvedLayer | undefined> {
  const bytes = await readSmallFile(file, { maxBytes: MAX_READ_BYTES }).catch(() => Buffer.alloc(0));
  const lines = new Map<string, { readonly start: number; readonly end: number }>();
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    const newline = bytes.indexOf('\n', start);
    end = newline === -1 ? bytes.length : newline;
    const layer = readLine(bytes.toString('utf8', start, end));
    if (layer !== undefined) lines.set(layer.key, { start, end });
  }
  if (bytes.length > MAX_FILE_BYTES) await keepNewestHalf(file, bytes);
  return key => {
    const line = lines.get(key);
    return line && readLine(bytes.toString('utf8', line.start, line.end));
  };
}

/** Returns the layer of a line; undefined for what is not a layer: a line that was cut by a crash, or anything else that got in there. */
export function readLine(line: string): ResolvedLayer | undefined {
  try {
    return readLayerDescriptor(parseJson(line) as Descriptor);
  } catch {
    return undefined;
  }
}

async function keepNewestHalf(file: string, bytes: Buffer): Promise<void> {
  const start = bytes.indexOf('\n', bytes.length / 2) + 1;
  try {
    await writeFileAtomically(file, bytes.subarray(start));
  } catch {
    // It stays large.
  }
}
