import { LAYER_KINDS, type LayerKind, type PublishedImage } from './published-image.ts';

/** Stored bytes of an image by kind of layer, a blob that it has twice counted once. */
export type SizesByKind = Readonly<Record<LayerKind, number>>;

export function sizesByKind({ layers }: Pick<PublishedImage, 'layers'>): SizesByKind {
  const sizes = Object.fromEntries(LAYER_KINDS.map(kind => [kind, 0])) as Record<LayerKind, number>;
  const once = new Map(layers.map(layer => [layer.digest, layer]));
  for (const { kind, sizeBytes } of once.values()) sizes[kind] += sizeBytes;
  return sizes;
}

export function totalBytes(sizes: SizesByKind): number {
  return Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
}

/** Where the server of an image listens. */
export function portOf({ container }: Pick<PublishedImage, 'container'>): number {
  const words = container.Entrypoint ?? [];
  const slimArgs = container.Env?.find(entry => entry.startsWith('SERVE_ARGS='))?.slice('SERVE_ARGS='.length);
  const text = /(?:^|\s)(?:--port|-p)[=\s](\d+)/.exec([...words, slimArgs ?? ''].join(' '))?.[1];
  const exposed = Object.keys(container.ExposedPorts ?? {}).at(-1);
  return Number(text ?? /^\d+/.exec(exposed ?? '')?.[0] ?? 8000);
}

/** The licence that the image declares, as an SPDX expression. */
export function licenseOf({ labels }: Pick<PublishedImage, 'labels'>): string | undefined {
  return labels['org.opencontainers.image.licenses'];
}

export interface LineageEntry {
  readonly id: string;
  /** As an SPDX expression or as the Hub names it; null where nothing is declared. */
  readonly license: string | null;
}

/** The models that the image's own was made from, nearest first; none where the image names none. */
export function lineageOf({ labels }: Pick<PublishedImage, 'labels'>): LineageEntry[] {
  let rows: unknown;
  try {
    rows = JSON.parse(labels['io.weighbridge.model.lineage'] ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    const [id, license] = Array.isArray(row) ? row : [];
    return typeof id === 'string' ? [{ id, license: typeof license === 'string' ? license : null }] : [];
  });
}

export interface BaseFacts {
  readonly name: string;
  readonly digest: string | undefined;
  /** The tag of the base, which for vLLM's own images is the vLLM version. */
  readonly version: string | undefined;
}

export function baseOf({ labels }: Pick<PublishedImage, 'labels'>): BaseFacts | undefined {
  const name = labels['org.opencontainers.image.base.name'];
  if (name === undefined) return undefined;
  return {
    name,
    digest: labels['org.opencontainers.image.base.digest'],
    version: labels['org.opencontainers.image.version'],
  };
}
