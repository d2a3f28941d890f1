import type { PlannedResharding, Resharding } from '../types.ts';

/** Returns a division as JSON values: headers as base64. */
export function packResharding({ files, indexes }: Resharding): PlannedResharding {
  return {
    files: files.map(({ source, parts }) => ({ source: packed(source), parts: parts.map(packed) })),
    indexes,
  };
}

/** Returns the division of files that a plan has as plain data. */
export function unpackResharding({ files, indexes }: PlannedResharding): Resharding {
  return {
    files: files.map(({ source, parts }) => ({ source: unpacked(source), parts: parts.map(unpacked) })),
    indexes,
  };
}

function packed<T extends { readonly header: Uint8Array }>({ header, ...rest }: T) {
  return { ...rest, header: Buffer.from(header).toString('base64') };
}

function unpacked<T extends { readonly header: string }>({ header, ...rest }: T) {
  return { ...rest, header: Buffer.from(header, 'base64') as Uint8Array };
}
