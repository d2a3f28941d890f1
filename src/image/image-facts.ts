import { flagValue } from '../core/serve-flags.ts';
import { shellWords } from '../core/shell-words.ts';
import { type BaseFacts, type LineageEntry, readLabels } from './format/labels.ts';
import { type SizesByKind, sumByKind } from './format/layer-kinds.ts';
import type { PublishedImage } from './published-image.ts';

/** Returns the stored bytes of an image's layers by their kind. */
export function sizesByKind({ layers }: Pick<PublishedImage, 'layers'>): SizesByKind {
  return sumByKind(new Map(layers.map(layer => [layer.digest, layer])).values());
}

/** Returns the sum, in bytes. */
export function totalBytes(sizes: SizesByKind): number {
  return Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
}

/** Returns the arguments of `vllm serve <folder>` that an image has: of a fat one's command, or in the variable of the others. */
export function serveWordsOf({ container }: Pick<PublishedImage, 'container'>): readonly string[] {
  const command = container.Entrypoint ?? [];
  return command[0] === 'vllm' ? command.slice(3) : wordsInVariable(container);
}

function wordsInVariable({ Env }: PublishedImage['container']): readonly string[] {
  const prefix = 'SERVE_ARGS=';
  const entry = Env?.find(one => one.startsWith(prefix));
  return shellWords(entry?.slice(prefix.length) ?? '');
}

/** Returns the port on which the server of an image listens. */
export function imagePort({ container }: Pick<PublishedImage, 'container'>): number {
  const words = [...(container.Entrypoint ?? []), ...wordsInVariable(container)];
  const exposed = Object.keys(container.ExposedPorts ?? {}).at(-1);
  const [text] = /^\d+/.exec(flagValue(words, '--port', '-p') ?? exposed ?? '') ?? [];
  return Number(text ?? 8000);
}

/** Returns the license that the image declares, as an SPDX expression. */
export function licenseOf({ labels }: Pick<PublishedImage, 'labels'>): string | undefined {
  return readLabels(labels).license;
}

/** Returns the models that the image's own was made from, nearest first; none if the image names none. */
export function lineageOf({ labels }: Pick<PublishedImage, 'labels'>): readonly LineageEntry[] {
  return readLabels(labels).lineage;
}

/** Returns the base image that the labels name; undefined if they name none. */
export function baseOf({ labels }: Pick<PublishedImage, 'labels'>): BaseFacts | undefined {
  return readLabels(labels).base;
}
