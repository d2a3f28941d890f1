import { holdsWeights } from '../../config/variants.ts';
import { plainLine } from '../../core/safe-text.ts';
import { formatBytes } from '../../core/text.ts';
import type { CatalogData, CatalogFile, CatalogImage, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { newestImages, parametersText, precisionText, taskText, tokensText } from '../words.ts';
import { cardSection } from './card-section.ts';
import { digestButton, hash, variantChip } from './copy.ts';
import { count } from './count.ts';
import { dataTable } from './data-table.ts';
import { adaptersSection, factsSection, fitSection, flagsSection, gpuSection } from './facts-section.ts';
import { historySection } from './history-section.ts';
import { layersSection } from './layers-section.ts';
import { licenseSection } from './license-section.ts';
import { splitId } from './list-row.ts';
import { pageText, type Site } from './page.ts';
import { runSection } from './run-section.ts';
import { scanSection } from './scan-section.ts';
import { isSigned, verifySection } from './verify-section.ts';

/** What `oci.description` is if none is written. */
const DEFAULT_DESCRIPTION = 'Slim/Fat images; see /licenses';

interface ModelPageSources {
  readonly data: CatalogData;
  readonly site: Site;
  /** The model's card as Markdown; undefined if it is not at hand. */
  readonly card: string | undefined;
}

/** Returns the page of one model: what it is, how to run it, what is in it, where it is and what came before. */
export function modelPage(model: CatalogModel, { data, site, card }: ModelPageSources): string {
  const current = newestImages(model);
  const sections: readonly (readonly [id: string, name: string, content: Markup])[] = [
    ['run', 'Run it', current.length > 0 && runSection(model, current)],
    ['gpus', 'What it runs on', gpuSection(model)],
    ['adapters', 'Adapters', adaptersSection(model)],
    ['flags', 'Flags', flagsSection(model)],
    ['license', 'License and access', licenseSection(model)],
    ['layers', 'What it weighs', current.length > 0 && layersSection(current)],
    ['images', 'Tags and digests', imagesSection(model)],
    ['verify', 'Verify it', verifySection(current, current[0]?.dir ?? '')],
    ['scan', 'Security scan', scanSection(current)],
    ['history', 'History', historySection(model.images)],
    ['files', 'Files', filesSection(model)],
    ['card', 'Model card', cardSection(model, card)],
  ];
  const shown = sections.filter(([, , content]) => content !== null && content !== false);
  return pageText({
    site,
    root: '../',
    path: model.page,
    title: model.id,
    description: description(model),
    section: 'models',
    main: html`
      <div class="wide model">
        <nav class="crumbs" aria-label="Where you are"><a href="../index.html">${data.title}</a></nav>
        ${title(model, current)} ${factsSection(model)} ${fitSection(model)} ${problems(model)}
        <div class="model-body">
          <nav class="toc" aria-label="On this page">
            <p class="toc-head">On this page</p>
            <ul>${shown.map(([id, name]) => html`<li><a href=${`#${id}`}>${name}</a></li>`)}</ul>
          </nav>
          <div class="model-sections">${shown.map(([, , content]) => content)}</div>
        </div>
      </div>
    `,
  });
}

function description({ id, facts, variants, license }: CatalogModel): string {
  const parts = [
    taskText(facts.task),
    facts.parameters === null ? '' : `${parametersText(facts.parameters)} parameters`,
    precisionText(facts),
    facts.contextLength === null ? '' : `${tokensText(facts.contextLength)} context`,
    license ?? '',
  ].filter(part => part !== '');
  return `${id} as ready-to-run vLLM container images (${variants.join(', ')})${parts.length > 0 ? `: ${parts.join(', ')}` : ''}.`;
}

function title(model: CatalogModel, current: readonly CatalogImage[]): Markup {
  const [org, name] = splitId(model.id);
  return html`
    <div class="intro">
      <h1><bdi><span class="org">${org}</span>${name}</bdi></h1>
      <p class="badges">
        ${current.map(({ variant }) => variantChip(variant))}
        ${model.access !== null && html`<a class="badge badge-gate" href="#license">${model.access}</a>`}
        ${current.some(isSigned) && html`<a class="badge badge-good" href="#verify">signed</a>`}
        ${model.fit?.status === 'ok' && html`<span class="badge badge-good">fits its vLLM</span>`}
        ${model.fit !== null && model.fit.findings.length > 0 && html`<a class="badge badge-bad" href="#fit">may not run</a>`}
      </p>
      <p class="lead">${lead(model)}</p>
      <p><a href=${model.url} rel="external">The model on the Hub</a></p>
    </div>
  `;
}

/** The description, unless it is the one that says nothing of this model. */
function lead({ description: text, version, variants }: CatalogModel): string {
  if (text !== '' && text !== DEFAULT_DESCRIPTION) return text;
  const fat = variants.some(holdsWeights) ? 'a fat image with the weights inside, and ' : '';
  const server = version === null ? 'vLLM' : `vLLM ${version}`;
  return `Ready to run with ${server}: ${fat}a slim image that fetches the weights when it starts.`;
}

function problems({ problems: all }: CatalogModel): Markup {
  if (all.length === 0) return null;
  return html`
    <div class="note">
      <p>Not everything could be read:</p>
      <ul>${all.map(problem => html`<li>${problem}</li>`)}</ul>
    </div>
  `;
}

function imagesSection({ images }: CatalogModel): Markup {
  const rows = images.filter(image => image.isCurrent);
  return html`
    <section aria-labelledby="images">
      <h2 id="images">Tags and digests</h2>
      ${dataTable(
        'Tags and digests',
        [{ name: 'Image', isHead: true }, { name: 'Tags' }, { name: 'Platforms' }, { name: 'Digest' }],
        rows.map(image => [
          variantChip(image.variant),
          image.places.map(place),
          image.platforms.map(({ platform }) => html`<span class="platform">${plainLine(platform)}</span> `),
          digestButton(image.digest),
        ]),
      )}
    </section>
  `;
}

function place({ repository, tags }: CatalogImage['places'][number]): Markup {
  return html`
    <div class="reference mono">
      <span>${repository}</span>
      ${shortestFirst(tags).map(
        tag =>
          html`<button type="button" class="hash" data-copy=${`${repository}:${tag}`} aria-label=${`Copy ${repository}:${tag}`}>:${tag}</button>`,
      )}
    </div>
  `;
}

/** The tags that people type come before those with a commit in them. */
function shortestFirst(tags: readonly string[]): string[] {
  return tags.toSorted((a, b) => a.length - b.length || a.localeCompare(b));
}

const MAX_FILES = 2000;

function filesSection({ files, revision, url }: CatalogModel): Markup {
  if (files.length === 0) return null;
  const row = ({ path, size, sha256, gitOid }: CatalogFile): Markup[] => [
    html`<span class="mono">${plainLine(path, 300)}</span>`,
    formatBytes(size),
    sha256 === undefined ? hash(gitOid ?? '', `git id of ${path}`) : hash(sha256, `sha256 of ${path}`),
    html`<span class="quiet">${sha256 === undefined ? 'git' : 'sha256'}</span>`,
  ];
  return html`
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <p>
        ${count(files.length, 'file')} of the repository at <a href=${`${url}/tree/${revision}`} rel="external"><span class="mono">${revision.slice(0, 12)}</span></a>${files.length > MAX_FILES ? `, the first ${MAX_FILES.toLocaleString('en')} here` : ''}.
      </p>
      ${dataTable(
        'Files',
        [
          { name: 'Path', isHead: true },
          { name: 'Size', isNumber: true },
          { name: 'Hash' },
          { name: 'Kind' },
        ],
        files.slice(0, MAX_FILES).map(row),
      )}
    </section>
  `;
}
