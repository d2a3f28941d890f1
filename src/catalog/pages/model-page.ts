import { holdsWeights } from '../../config/variants.ts';
import { formatBytes } from '../../core/text.ts';
import type { CatalogData, CatalogFile, CatalogImage, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { layersSection } from './layers-section.ts';
import { count } from './list-page.ts';
import { splitId } from './list-row.ts';
import { pageText, type Site } from './page.ts';
import { runSection } from './run-section.ts';
import { scanSection } from './scan-section.ts';
import { signatureSection } from './signature-section.ts';

/** What `oci.description` is if none is written. */
const DEFAULT_DESCRIPTION = 'Slim/Fat images; see /licenses';

/** Everything about one model: how to run it, what is in it, where it is and what came before. */
export function modelPage(model: CatalogModel, data: CatalogData, site: Site): string {
  const current = currentImages(model);
  return pageText({
    site,
    root: '../',
    title: model.id,
    description: `${model.id} as ready-to-run vLLM container images: ${model.variants.join(' and ')}.`,
    section: 'models',
    main: html`
      <div class="wide model">
        <nav class="crumbs" aria-label="Where you are"><a href="../index.html">${data.title}</a></nav>
        ${title(model)} ${facts(model)} ${problems(model)}
        ${current.length === 0 ? null : [runSection(model, current), layersSection(current)]}
        ${licenseSection(model)} ${scanSection(current)} ${signatureSection(current)} ${imagesSection(model)} ${filesSection(model)} ${historySection(model)}
      </div>
    `,
  });
}

/** The newest image of each variant, fat first: it is the one that needs nothing else. */
function currentImages({ images }: CatalogModel): CatalogImage[] {
  const newest = [...new Map(images.toReversed().map(image => [image.variant, image])).values()];
  return newest.toSorted(byNeed);
}

function byNeed(a: CatalogImage, b: CatalogImage): number {
  const rank = ({ variant }: CatalogImage): number => Number(!holdsWeights(variant));
  return rank(a) - rank(b) || a.variant.localeCompare(b.variant);
}

function title(model: CatalogModel): Markup {
  const [org, name] = splitId(model.id);
  return html`
    <div class="intro">
      <h1><span class="org">${org}</span>${name}</h1>
      <p class="lead">${lead(model)}</p>
      <p><a href=${model.url} rel="external">The model on the Hub</a></p>
    </div>
  `;
}

/** The description, unless it is the one that says nothing of this model. */
function lead({ description, version, variants }: CatalogModel): string {
  if (description !== '' && description !== DEFAULT_DESCRIPTION) return description;
  const fat = variants.some(holdsWeights) ? 'a fat image with the weights inside, and ' : '';
  const server = version === null ? 'vLLM' : `vLLM ${version}`;
  return `Ready to run with ${server}: ${fat}a slim image that fetches the weights when it starts.`;
}

function facts(model: CatalogModel): Markup {
  const fact = (name: string, value: Markup): Markup => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`
    <dl class="facts">
      ${fact('License', model.license ?? 'none named')}
      ${fact('Weights and files', model.modelBytes === null ? 'not known' : formatBytes(model.modelBytes))}
      ${fact('vLLM', model.version ?? 'not named')}
      ${fact('Revision', html`<span class="mono" title=${model.revision}>${model.revision.slice(0, 12)}</span>`)}
      ${fact('Updated', html`<time datetime=${model.updated}>${model.updated.slice(0, 10)}</time>`)}
    </dl>
  `;
}

function problems({ problems: all }: CatalogModel): Markup {
  if (all.length === 0) return null;
  return html`
    <div class="note" role="note">
      <p>Not all of its repositories could be read, so something may be missing here:</p>
      <ul>${all.map(problem => html`<li>${problem}</li>`)}</ul>
    </div>
  `;
}

function licenseSection({ license, lineage, variants, url }: CatalogModel): Markup {
  const isFat = variants.some(holdsWeights);
  return html`
    <section aria-labelledby="license">
      <h2 id="license">License</h2>
      <p>
        ${license === null ? 'The images declare no license.' : html`The images declare <strong>${license}</strong>.`}
        ${' '}${
          isFat
            ? 'The full texts are in the fat image, in /licenses: of the model, and of what was added to it.'
            : 'No fat image is published. The slim image downloads the weights from the Hub.'
        }
      </p>
      ${lineage.length > 0 && lineageList(lineage)}
      <p><a href=${url} rel="external">Terms and model card on the Hub</a></p>
    </section>
  `;
}

function lineageList(lineage: CatalogModel['lineage']): Markup {
  return html`
    <p>It was made from, nearest first:</p>
    <ol>
      ${lineage.map(
        ({ id, license }) => html`
          <li>
            <a href=${`https://huggingface.co/${id}`} rel="external">${id}</a>: ${license ?? 'no license declared'}
          </li>
        `,
      )}
    </ol>
  `;
}

function imagesSection({ images }: CatalogModel): Markup {
  const rows = images.filter(image => image.isCurrent);
  return html`
    <section aria-labelledby="images">
      <h2 id="images">Tags and digests</h2>
      <p>A tag with version and commit stays with its image. A tag with the commit alone moves with the base image, and a tag with the version alone moves with the model. A digest never moves.</p>
      <div class="scroll" role="group" aria-label="Tags and digests" tabindex="0">
        <table>
          <thead><tr><th scope="col">Image</th><th scope="col">Tags</th><th scope="col">Platforms</th><th scope="col">Digest</th></tr></thead>
          <tbody>
            ${rows.map(imageRow)}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

function imageRow(image: CatalogImage): Markup {
  return html`
    <tr>
      <td><span class=${`chip chip-${image.variant}`}>${image.variant}</span></td>
      <td>
        ${image.places.map(
          ({ repository, tags }) => html`
            <div class="reference mono">
              <span>${repository}</span>
              ${shortestFirst(tags).map(
                tag =>
                  html`<button type="button" class="hash" data-copy=${`${repository}:${tag}`} aria-label=${`Copy ${repository}:${tag}`}>:${tag}</button>`,
              )}
            </div>
          `,
        )}
      </td>
      <td>${image.platforms.map(({ platform }) => platform).join(', ')}</td>
      <td>${hash(image.digest.slice('sha256:'.length), 'digest', image.digest)}</td>
    </tr>
  `;
}

/** The tags that people type come before those with a commit in them. */
function shortestFirst(tags: readonly string[]): string[] {
  return tags.toSorted((a, b) => a.length - b.length || a.localeCompare(b));
}

/** A hash in short, the whole of it to copy. */
function hash(hex: string, what: string, whole: string = hex): Markup {
  return html`<button type="button" class="hash mono" data-copy=${whole} title=${whole} aria-label=${`Copy the ${what} ${hex.slice(0, 12)}`}>${hex.slice(0, 12)}</button>`;
}

function filesSection({ files, revision, url }: CatalogModel): Markup {
  if (files.length === 0) return null;
  const row = (file: CatalogFile): Markup => html`
    <tr>
      <td class="mono">${file.path}</td>
      <td class="number">${formatBytes(file.size)}</td>
      <td>${file.sha256 === undefined ? hash(file.gitOid ?? '', `git id of ${file.path}`) : hash(file.sha256, `sha256 of ${file.path}`)}</td>
      <td class="quiet">${file.sha256 === undefined ? 'git' : 'sha256'}</td>
    </tr>
  `;
  return html`
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <p>
        ${count(files.length, 'file')} of the repository at <a href=${`${url}/tree/${revision}`} rel="external"><span class="mono">${revision.slice(0, 12)}</span></a>.
      </p>
      <div class="scroll" role="group" aria-label="Files" tabindex="0">
        <table>
          <thead><tr><th scope="col">Path</th><th scope="col" class="number">Size</th><th scope="col">Hash</th><th scope="col">Kind</th></tr></thead>
          <tbody>${files.map(row)}</tbody>
        </table>
      </div>
    </section>
  `;
}

function historySection({ images }: CatalogModel): Markup {
  return html`
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <div class="scroll" role="group" aria-label="History" tabindex="0">
        <table>
          <thead><tr><th scope="col">vLLM</th><th scope="col">Revision</th><th scope="col">Image</th><th scope="col">First seen</th><th scope="col">Base image</th><th scope="col">Digest</th></tr></thead>
          <tbody>
            ${images.map(
              image => html`
                <tr>
                  <td class="mono">${image.version ?? ''}</td>
                  <td>${hash(image.revision, 'revision')}</td>
                  <td><span class=${`chip chip-${image.variant}`}>${image.variant}</span>${image.isCurrent ? '' : html` <span class="quiet">older</span>`}</td>
                  <td><time datetime=${image.firstSeen}>${image.firstSeen.slice(0, 10)}</time></td>
                  <td class="mono">${image.base?.name ?? ''}</td>
                  <td>${hash(image.digest.slice('sha256:'.length), 'digest', image.digest)}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}
