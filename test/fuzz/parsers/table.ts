import type fc from 'fast-check';
import type { Digest } from '../../../src/core/digest.ts';
import { parsedJson } from '../../../src/core/json-shape.ts';
import { MediaType } from '../../../src/oci/types.ts';

export type ParserProperty = fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;

/** By name. A name is kept with the examples that once failed. */
export const PARSERS = new Map<string, ParserProperty>();

export function parser(name: string, property: ParserProperty): void {
  if (PARSERS.has(name)) throw new RangeError(`two parsers are called ${name}`);
  PARSERS.set(name, property);
}

export const DIGEST = `sha256:${'0a'.repeat(32)}`;
export const OID = '0a'.repeat(20);
export const DESCRIPTOR = { mediaType: MediaType.ociLayerTar, digest: DIGEST as Digest, size: 2048 };

/** As files of models are read. */
export function parsedOrNothing(bytes: Buffer): unknown {
  return parsedJson(bytes.toString('utf8'));
}
