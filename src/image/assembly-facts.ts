import type { Variant } from '../config/types.ts';
import type { WeighbridgeError } from '../core/errors.ts';
import { formatPlatform } from '../oci/reference.ts';
import type { ImageLayerKind } from './format/layer-kinds.ts';
import type { AssembledModel, ImageDraft, ImagePlatform } from './types.ts';

/** What a model's images will be made of, for people and programs that look at a plan. */
export interface AssemblyFacts {
  /** Undefined if no variant is built on a base image, or it could not be read. */
  readonly base: AssembledBase | undefined;
  readonly images: readonly { readonly variant: Variant; readonly layers: readonly LayerFacts[] }[];
  readonly refused: readonly { readonly variant: Variant; readonly error: WeighbridgeError }[];
}

/** The base image, as reports tell it. */
export interface AssembledBase {
  readonly reference: string;
  /** Of the first platform's manifest. */
  readonly digest: string;
  /** Of each platform's manifest, if there are several. */
  readonly platforms?: Readonly<Record<string, string>>;
}

/** A layer, as reports tell it. */
export interface LayerFacts {
  readonly kind: ImageLayerKind;
  /** The file that it holds, or what it is. */
  readonly name: string;
  readonly sizeBytes: number;
  /** `linux/amd64` */
  readonly platform: string;
}

/** Returns what reports tell of an assembled model: base image, layers, refusals. */
export function assemblyFacts({ drafts, refused }: AssembledModel): AssemblyFacts {
  return {
    base: baseOf(drafts),
    images: drafts.map(({ variant, platforms }) => ({ variant, layers: platforms.flatMap(layersOf) })),
    refused,
  };
}

function baseOf(drafts: readonly ImageDraft[]): AssembledBase | undefined {
  const platforms = drafts.find(draft => draft.platforms[0]?.base !== undefined)?.platforms ?? [];
  const bases = platforms.flatMap(({ base }) => base ?? []);
  const [first] = bases;
  if (first === undefined) return undefined;
  const { reference, digest } = first;
  if (bases.length === 1) return { reference, digest };
  const all = bases.map(base => [formatPlatform(base.platform), base.digest] as const);
  return { reference, digest, platforms: Object.fromEntries(all) };
}

function layersOf({ base, layers, platform: named }: ImagePlatform): LayerFacts[] {
  const platform = formatPlatform(named);
  const below = (base?.layers ?? []).map(
    ({ digest, size }): LayerFacts => ({
      kind: 'base',
      name: digest.slice(0, 'sha256:'.length + 12),
      sizeBytes: size,
      platform,
    }),
  );
  const own = layers.map(
    ({ recipe, layout }): LayerFacts => ({
      kind: recipe.kind,
      name: recipe.name,
      sizeBytes: layout.sizeBytes,
      platform,
    }),
  );
  return [...below, ...own];
}
