import { holdsWeights } from '../../config/variants.ts';
import { table } from '../../core/table.ts';
import { titleCase } from '../../core/text.ts';
import { commitTags } from '../../plan/tags.ts';
import { type ManifestKind, manifestText } from '../../report/serve/manifest.ts';
import { isKubeaiMountable } from '../../report/serve/other-servers.ts';
import { sampleRequests } from '../../report/serve/requests.ts';
import {
  pullCommand,
  pullModelPack,
  type RunnableImage,
  runCommand,
} from '../../report/serve/run-commands.ts';
import { gpusOf, type ServedImage, type TaggedImage } from '../../report/serve/served-image.ts';
import type { CatalogImage, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { codeBlock } from './copy.ts';

interface Way {
  readonly key: string;
  readonly name: string;
  readonly note: string;
  readonly blocks: readonly { readonly title: string; readonly text: string }[];
}

/**
 * Returns the section with commands to copy, per variant and tool. With scripts one is shown at a time, without them
 * all.
 */
export function runSection(model: CatalogModel, images: readonly CatalogImage[]): Markup {
  const repositories = [...new Set(images.flatMap(image => image.places.map(place => place.repository)))];
  return html`
    <section aria-labelledby="run" data-run>
      <h2 id="run">Run it</h2>
      <div class="run-choices">
        ${tablist(
          'Variant',
          images.map(image => [`run-${image.variant}`, variantName(image.variant)]),
        )}
        ${repositories.length > 1 ? registrySelect(repositories) : null}
      </div>
      ${images.map(image => variantPanel(model, image))}
    </section>
  `;
}

const VARIANT_NAMES = table<string>({
  fat: 'Fat: weights inside',
  slim: 'Slim: fetches at start',
  weights: 'Weights alone',
  modelpack: 'ModelPack',
});

function variantName(variant: string): string {
  return VARIANT_NAMES[variant] ?? titleCase(variant);
}

function registrySelect(repositories: readonly string[]): Markup {
  return html`
    <div class="select js-only">
      <label class="sr" for="repository">Registry</label>
      <select id="repository" data-repository>
        ${repositories.map(name => html`<option value=${name}>${name.replace(/\/[^/]*$/, '')}</option>`)}
      </select>
    </div>
  `;
}

function variantPanel(model: CatalogModel, image: CatalogImage): Markup {
  const ways = waysToRun(model, image);
  const id = (way: Way): string => `run-${image.variant}-${way.key}`;
  return html`
    <div class="panel" id=${`run-${image.variant}`} role="tabpanel" aria-label=${variantName(image.variant)}>
      <h3 class="no-js">${variantName(image.variant)}</h3>
      ${tablist(
        'Tool',
        ways.map(way => [id(way), way.name]),
      )}
      ${ways.map(
        way => html`
          <div class="panel" id=${id(way)} role="tabpanel" aria-label=${way.name}>
            <h4 class="no-js">${way.name}</h4>
            <p class="quiet">${way.note}</p>
            ${way.blocks.map(block => codeBlock(block.title, block.text))}
          </div>
        `,
      )}
    </div>
  `;
}

/** Roles and keys are the script's; without it these are links to what they show. */
function tablist(label: string, tabs: readonly (readonly [panel: string, name: string])[]): Markup {
  return html`
    <div class="tabs js-only" role="tablist" aria-label=${label}>
      ${tabs.map(([panel, name], index) => html`<button type="button" role="tab" aria-controls=${panel} aria-selected=${index === 0 ? 'true' : 'false'} tabindex=${index === 0 ? 0 : -1}>${name}</button>`)}
    </div>
  `;
}

function waysToRun(model: CatalogModel, image: CatalogImage): Way[] {
  const runnable = runnableImage(model, image);
  const served = servedImage(model, image);
  if (image.variant === 'modelpack') return [modelpackWay(served)];
  const manifests = MANIFESTS.filter(
    ({ kind, variants }) =>
      variants.includes(image.variant) &&
      (kind !== 'kubeai' || image.variant !== 'weights' || isKubeaiMountable(served)),
  ).map(
    ({ kind, name, note }): Way => ({
      key: kind,
      name: kind === 'kubernetes' && image.variant === 'slim' ? 'Kubernetes with a volume' : name,
      note,
      blocks: [
        {
          title: `${served.name}.yaml`,
          text: manifestText(kind, served, { server: served.server ?? DEFAULT_SERVER }),
        },
      ],
    }),
  );
  if (image.variant === 'weights') return manifests;
  const requests = sampleRequests(model.facts.task, model.servedName, runnable.port);
  const engine = (name: 'docker' | 'podman'): Way => ({
    key: name,
    name: titleCase(name),
    note: engineNote(image),
    blocks: [
      { title: 'Pull', text: pullCommand(name, runnable.reference) },
      { title: 'Run', text: runCommand(name, runnable) },
      ...requests,
    ],
  });
  return [engine('docker'), engine('podman'), ...manifests];
}

interface ManifestWay {
  readonly kind: ManifestKind;
  readonly name: string;
  readonly note: string;
  readonly variants: readonly string[];
}

/** By digest: what runs is what is shown here. */
const MANIFESTS: readonly ManifestWay[] = [
  {
    kind: 'kubernetes',
    name: 'Kubernetes',
    note: 'A Deployment and its Service, ready when the model is served. A slim image keeps the model in a volume; one that is gated takes its token from a secret "huggingface".',
    variants: ['fat', 'slim'],
  },
  {
    kind: 'image-volume',
    name: 'Image volume',
    note: 'The model alone, mounted read-only into any vLLM image: a new vLLM pulls no weights again. Kubernetes 1.36; a feature gate before.',
    variants: ['fat', 'weights'],
  },
  {
    kind: 'kserve',
    name: 'KServe',
    note: 'An InferenceService.',
    variants: ['fat', 'weights'],
  },
  { kind: 'kubeai', name: 'KubeAI', note: 'A Model that starts this image.', variants: ['fat'] },
  {
    kind: 'kubeai',
    name: 'KubeAI',
    note: 'A Model that mounts the weights into a vLLM image, by the tag of the commit: KubeAI takes no digest. KubeAI 0.23.3 or later.',
    variants: ['weights'],
  },
  {
    kind: 'compose',
    name: 'Compose',
    note: 'For docker compose, with a health check.',
    variants: ['fat', 'slim', 'weights'],
  },
];

const DEFAULT_SERVER = 'vllm/vllm-openai:latest';

function engineNote({ variant, access }: CatalogImage): string {
  if (holdsWeights(variant)) return 'The weights are included; no network access or token is needed.';
  const token =
    access === null ? '' : ` The model is ${access}: HF_TOKEN has to be a token with access to it.`;
  return `Keeps the model in the volume "models", so only the first start downloads it.${token}`;
}

function modelpackWay({ reference }: ServedImage): Way {
  return {
    key: 'modctl',
    name: 'modctl',
    note: 'A ModelPack artifact: the files of the model, for tools that know the format. It is not an image that a runtime starts.',
    blocks: [{ title: 'Pull', text: pullModelPack(reference) }],
  };
}

function servedImage(model: CatalogModel, image: CatalogImage): ServedImage {
  const base = image.base ?? model.images.find(one => one.base !== null)?.base;
  // A label may hold anything, and this goes into files that people apply.
  const name = /^[\w.:/@-]+$/.exec(base?.name ?? '')?.[0];
  const digest = /^sha256:[0-9a-f]{64}$/.exec(base?.digest ?? '')?.[0];
  return {
    reference: `${image.places[0]?.repository}@${image.digest}`,
    tagged: taggedImage(image),
    name: resourceName(model),
    modelId: model.id,
    variant: image.variant,
    task: model.facts.task ?? undefined,
    dir: image.dir,
    port: image.port,
    serveArgs: model.serveArgs,
    gpus: gpusOf(model.serveArgs),
    modelBytes: model.modelBytes ?? undefined,
    access: image.access ?? undefined,
    server:
      name === undefined
        ? undefined
        : digest === undefined || name.includes('@')
          ? name
          : `${name}@${digest}`,
  };
}

/** By a tag that stays with the image and names it in each registry that readers may choose. */
function taggedImage({ places, revision }: CatalogImage): TaggedImage | undefined {
  const [first] = places;
  const inAll = first?.tags.filter(tag => places.every(({ tags }) => tags.includes(tag))) ?? [];
  const [tag] = commitTags(inAll, revision);
  return tag === undefined ? undefined : { reference: `${first?.repository}:${tag}`, isImmutable: true };
}

/** As long as the name of a Service may be. */
function resourceName({ short }: CatalogModel): string {
  return `hf-${short}`.slice(0, 63).replace(/-+$/, '');
}

function runnableImage(model: CatalogModel, image: CatalogImage): RunnableImage {
  const [place] = image.places;
  const tag = place?.tags.find(one => !one.includes(image.revision.slice(0, 8))) ?? place?.tags[0];
  return {
    reference: `${place?.repository}:${tag}`,
    name: resourceName(model),
    variant: image.variant,
    port: image.port,
    dir: image.dir,
    modelBytes: model.modelBytes ?? undefined,
    access: image.access ?? undefined,
  };
}
