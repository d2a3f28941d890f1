import { holdsWeights } from '../../config/variants.ts';
import { titleCase } from '../../core/text.ts';
import { imageVolumeManifest, kubernetesManifest } from '../../report/serve/kubernetes-manifest.ts';
import { pullCommand, type RunnableImage, runCommand } from '../../report/serve/run-commands.ts';
import type { CatalogImage, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';

interface Way {
  readonly key: string;
  readonly name: string;
  readonly note: string;
  readonly blocks: readonly { readonly title: string; readonly text: string }[];
}

/** Commands to copy: per variant and tool. With scripts one is shown at a time, without them all. */
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

function variantName(variant: string): string {
  return `${titleCase(variant)}: ${holdsWeights(variant) ? 'weights inside' : 'fetches at start'}`;
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

export function codeBlock(title: string, text: string): Markup {
  return html`
    <div class="code">
      <div class="code-head"><span>${title}</span><button type="button" class="copy js-only" data-copy-code aria-label=${`Copy: ${title}`}>Copy</button></div>
      <pre tabindex="0" role="group" aria-label=${title}><code>${text}</code></pre>
    </div>
  `;
}

function waysToRun(model: CatalogModel, image: CatalogImage): Way[] {
  const isSlim = !holdsWeights(image.variant);
  const runnable = runnableImage(model, image);
  const { reference, port } = runnable;
  const token = isSlim
    ? 'Keeps the model in the volume "models", so only the first start downloads it. HF_TOKEN is needed for gated and private models alone.'
    : 'The weights are included; no network access or token is needed.';
  const ask = { title: 'Ask it', text: askCommand(model.id, port) };
  const engine = (name: 'docker' | 'podman'): Way => ({
    key: name,
    name: name === 'docker' ? 'Docker' : 'Podman',
    note: token,
    blocks: [
      { title: 'Pull', text: pullCommand(name, reference) },
      { title: 'Run', text: runCommand(name, runnable) },
      ask,
    ],
  });
  const kubernetes: Way = {
    key: 'kubernetes',
    name: isSlim ? 'Kubernetes with a volume' : 'Kubernetes',
    note: isSlim
      ? `The claim keeps the model from one pod to the next.${image.access === null ? '' : ` The model is ${image.access}: put a token into the secret "huggingface".`}`
      : 'A Deployment and its Service; ready when the model is served.',
    blocks: [{ title: `${runnable.name}.yaml`, text: kubernetesManifest(runnable) }],
  };
  const volume: Way = {
    key: 'image-volume',
    name: 'Image volume',
    note: 'The model alone, mounted read-only into any vLLM image: a new vLLM pulls no weights again. Kubernetes 1.36; a feature gate before.',
    blocks: [
      {
        title: `${runnable.name}.yaml`,
        text: imageVolumeManifest(runnable, serverImage(image), model.id),
      },
    ],
  };
  return [engine('docker'), engine('podman'), kubernetes, ...(isSlim ? [] : [volume])];
}

/** The base image, unless the image says nonsense of it. */
function serverImage({ base }: CatalogImage): string {
  return /^[\w.:/@-]+$/.exec(base?.name ?? '')?.[0] ?? 'vllm/vllm-openai:latest';
}

function runnableImage(model: CatalogModel, image: CatalogImage): RunnableImage {
  const [place] = image.places;
  const tag = place?.tags.find(one => !one.includes(image.revision.slice(0, 8))) ?? place?.tags[0];
  return {
    reference: `${place?.repository}:${tag}`,
    // As long as the name of a Service may be.
    name: `hf-${model.short}`.slice(0, 63).replace(/-+$/, ''),
    variant: image.variant,
    port: image.port,
    dir: image.dir,
    access: image.access ?? undefined,
    modelBytes: model.modelBytes ?? undefined,
  };
}

function askCommand(id: string, port: number): string {
  return `curl http://localhost:${port}/v1/chat/completions -H 'content-type: application/json' \\
  -d '{"model": "${id}", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
