import { holdsWeights } from '../config/variants.ts';
import { readAll } from '../core/byte-source.ts';
import { describeError, HubError, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { releaseOfBase } from '../fit/base-version.ts';
import { checkFit } from '../fit/check-fit.ts';
import { factsOf } from '../fit/model-facts.ts';
import type { ModelDocuments } from '../fit/types.ts';
import { fileFindings } from '../hub/file-findings.ts';
import type { Hub, ModelSnapshot } from '../hub/types.ts';
import { readLayer } from '../image/image-content.ts';
import { baseOf as imageBase } from '../image/image-facts.ts';
import type { ListedFile, PublishedImage } from '../image/published-image.ts';
import type { FoundImage, FoundModel } from '../inspect/read-published.ts';
import { readDocuments } from '../plan/read-documents.ts';
import { readHubFile } from '../plan/read-file.ts';
import { createSmallFiles, isClosed } from '../plan/small-files.ts';
import { serveArgsIn } from '../report/serve/served-image.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { CatalogFit } from './catalog-data.ts';
import type { ModelDetails } from './model-details.ts';

interface DetailsOptions {
  /** Undefined if it is not to be asked. */
  readonly hub: Hub | undefined;
  /** A repository by its full name. */
  readonly open: (repository: string) => ImageStore;
  readonly signal: AbortSignal;
  /** For each model, and for all of them together. */
  readonly limits?: { readonly modelMs: number; readonly allMs: number };
}

interface FoundDetails {
  readonly details: ReadonlyMap<string, ModelDetails>;
  /** What kept some of it away, a sentence each; a catalog is whole without. */
  readonly notes: readonly string[];
}

const LIMITS = { modelMs: 20_000, allMs: 300_000 };
const MODELS_AT_ONCE = 6;
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** Of a card that is longer, this much is read. */
const MAX_CARD_BYTES = 512 * 1024;
/** The small files of a model with their tokenizer; a card in a larger layer is left to the Hub. */
const MAX_LAYER_BYTES = 64 * 1024 * 1024;
const CARD = 'README.md';

/**
 * Asks the Hub about the published revision of each model, within the limits: one that is odd, gated or gone is left
 * out, and a Hub that cannot be reached is asked no more. Cards that it does not give are read from the images that
 * have them. Returns details by model id, and a note for each thing that is missing.
 */
export async function readDetails(
  models: readonly FoundModel[],
  { hub, open, signal, limits = LIMITS }: DetailsOptions,
): Promise<FoundDetails> {
  const notes: string[] = [];
  const details = new Map<string, ModelDetails>();
  let isReachable = hub !== undefined;
  const all = timeLimit(limits.allMs);
  const attempt = async <T>(
    id: string,
    what: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> => {
    const own = timeLimit(limits.modelMs);
    try {
      return await what(AbortSignal.any([signal, all.signal, own.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (isOutage(error)) {
        if (isReachable) notes.push(`the Hub was not asked further: ${reason(error)}`);
        isReachable = false;
      } else notes.push(`${id}: ${reason(error)}`);
      return undefined;
    } finally {
      own.end();
    }
  };
  try {
    const published = models.filter(({ images }) => images.length > 0);
    await mapPool(published, MODELS_AT_ONCE, async model => {
      const { id, short } = model;
      const found = isReachable && hub ? await attempt(id, one => askHub(hub, model, one)) : undefined;
      const card = found === undefined ? await attempt(id, one => cardInImage(model, open, one)) : found.card;
      if (found !== undefined || card !== undefined) details.set(short, { ...NOTHING, ...found, card });
    });
  } finally {
    all.end();
  }
  return { details, notes };
}

/** As `AbortSignal.timeout`, which does not keep a process waiting for it, and cannot be ended. */
function timeLimit(ms: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('too late', 'TimeoutError')), ms);
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

const NOTHING: ModelDetails = {
  access: null,
  license: undefined,
  committed: undefined,
  facts: undefined,
  fit: undefined,
  card: undefined,
};

async function askHub(hub: Hub, { id, images }: FoundModel, signal: AbortSignal): Promise<ModelDetails> {
  const image = images[0]?.platforms[0];
  const snapshot = await hub.getModel(id, image?.model?.revision ?? null, signal, {
    mayLeaveOut: 'all',
  });
  const [documents, card] = await Promise.all([
    // Two documents at most, and no memory of them: other models have others.
    unlessClosed(readDocuments(createSmallFiles(hub, MAX_DOCUMENT_BYTES, signal), snapshot)),
    unlessClosed(readCard(hub, snapshot, signal)),
  ]);
  const { license } = snapshot.license;
  const listed = images.find(({ files }) => files !== undefined)?.files ?? snapshot.files;
  const inImage = { files: listed.map(file => ({ path: file.path, sizeBytes: file.sizeBytes })) };
  return {
    access: snapshot.gated === false ? (snapshot.isPrivate ? 'private' : null) : 'gated',
    license: typeof license === 'string' ? license : license?.join(', '),
    committed: snapshot.committed,
    facts:
      documents &&
      factsOf({
        ...inImage,
        documents,
        tensors: snapshot.tensors,
        languages: snapshot.languages,
        release: releaseOfBase(baseOf(image)),
      }),
    fit: documents && image && fitOf(id, images, image, { ...inImage, snapshot, documents }),
    card,
  };
}

function baseOf(image: PublishedImage | undefined): string {
  return (image && imageBase(image)?.name) ?? '';
}

function fitOf(
  id: string,
  images: readonly FoundImage[],
  image: PublishedImage,
  {
    files,
    snapshot,
    documents,
  }: {
    readonly files: readonly Pick<ListedFile, 'path' | 'sizeBytes'>[];
    readonly snapshot: ModelSnapshot;
    readonly documents: ModelDocuments;
  },
): CatalogFit {
  const serveArgs = serveArgsIn(image);
  const { status, findings } = checkFit({
    modelId: id,
    baseImage: baseOf(image),
    serveArgs,
    fit: 'warn',
    isOffline: images.some(({ platforms }) => holdsWeights(platforms[0]?.model?.variant ?? '')),
    files,
    fileFindings: fileFindings({ files, all: snapshot.files, serveArgs, disguised: [] }),
    documents,
  });
  return { status, findings };
}

/** The card, or the beginning of one that is longer than any page. */
async function readCard(hub: Hub, snapshot: ModelSnapshot, signal: AbortSignal): Promise<string | undefined> {
  const file = snapshot.files.find(({ path }) => path === CARD);
  if (file === undefined || file.sizeBytes === 0) return undefined;
  if (file.sizeBytes <= MAX_CARD_BYTES)
    return (await readHubFile(hub, snapshot, file, { maxBytes: MAX_CARD_BYTES, signal })).toString('utf8');
  const beginning = hub.openFile(snapshot, file, { start: 0, end: MAX_CARD_BYTES });
  return (await readAll(beginning, MAX_CARD_BYTES, signal)).toString('utf8');
}

/** Undefined for what the Hub does not give: a gate lets anyone see what there is, and not what is in it. */
async function unlessClosed<T>(reading: Promise<T>): Promise<T | undefined> {
  return await reading.catch((error: unknown) => {
    if (isClosed(error)) return undefined;
    throw error;
  });
}

/** The card as the image with the weights has it, checked by the digest of its layer. */
async function cardInImage(
  { images }: FoundModel,
  open: DetailsOptions['open'],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { platforms, places } of images) {
    const [image] = platforms;
    const [place] = places;
    if (image?.model === undefined || place === undefined) continue;
    const path = `${image.model.dir.slice(1)}/${CARD}`;
    const index = image.layers.findIndex(layer => layer.files.some(file => file.path === path));
    const layer = image.manifest.layers[index];
    if (layer === undefined || layer.size > MAX_LAYER_BYTES) continue;
    const { kept } = await readLayer(open(place.repository), layer, { signal, keep: name => name === path });
    return kept.get(path)?.subarray(0, MAX_CARD_BYTES).toString('utf8');
  }
  return undefined;
}

/** Whether asking about another model is as much in vain. */
function isOutage(error: unknown): boolean {
  return error instanceof HubError && ['HUB_UNREACHABLE', 'HUB_RATE_LIMITED'].includes(error.code);
}

function reason(error: unknown): string {
  if (error instanceof WeighbridgeError) return error.message;
  const isLate = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
  return isLate ? 'it took too long' : `unexpected: ${describeError(error)}`;
}
