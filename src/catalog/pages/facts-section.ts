import { plainLine } from '../../core/safe-text.ts';
import { writtenFlags } from '../../core/serve-flags.ts';
import { formatBytes } from '../../core/text.ts';
import type { GpuNeed } from '../../fit/gpu-need.ts';
import type { CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { parametersText, precisionText, taskText, tokensText } from '../words.ts';
import { date, hash, hubLink } from './copy.ts';
import { dataTable } from './data-table.ts';
import { languageText } from './list-filters.ts';

const MAX_LANGUAGES = 40;

/** Returns the section with what people choose a model by. */
export function factsSection(model: CatalogModel): Markup {
  const { facts } = model;
  const active = facts.activeParameters === null ? '' : `${parametersText(facts.activeParameters)} active`;
  const cache = facts.kvBytesPerToken;
  return html`
    <dl class="facts">
      ${fact('Task', taskText(facts.task), facts.architecture)}
      ${fact('Parameters', parametersText(facts.parameters), active)}
      ${fact('Precision', precisionText(facts))}
      ${fact('Context', facts.contextLength === null ? '' : `${tokensText(facts.contextLength)} tokens`)}
      ${fact('Weights and files', model.modelBytes === null ? '' : formatBytes(model.modelBytes), cache === null ? '' : `${formatBytes(cache * 1000)} of KV cache for 1,000 tokens`)}
      ${fact('License', model.license ?? '')}
      ${fact('vLLM', model.version ?? '')}
      ${fact('Model revision', html`<span class="mono" title=${model.revision}>${plainLine(model.revision).slice(0, 12)}</span>`, model.revisionDate === null ? null : html`of ${date(model.revisionDate)}`)}
      ${fact('First seen', date(model.updated), 'by this catalog')}
      ${fact('Languages', languages(facts.languages), null, 'facts-wide')}
    </dl>
  `;
}

function fact(name: string, value: Markup, note: Markup = null, kind?: string): Markup {
  if (value === '') return null;
  const isNoted = note !== null && note !== '';
  return html`<div class=${kind}><dt>${name}</dt><dd>${value}${isNoted && html` <small>${note}</small>`}</dd></div>`;
}

function languages(codes: readonly string[]): string {
  const more = codes.length > MAX_LANGUAGES ? ` and ${codes.length - MAX_LANGUAGES} more` : '';
  return codes.slice(0, MAX_LANGUAGES).map(languageText).join(', ') + more;
}

/** Returns the fewest GPUs of each size; nothing if the model's need is not known. */
export function gpuSection({ facts }: CatalogModel): Markup {
  if (facts.gpus.length === 0) return null;
  return html`
    <section aria-labelledby="gpus">
      <h2 id="gpus">What it runs on</h2>
      <p>The fewest GPUs of each size with room for the weights and a request of 8,192 tokens, and the longest request that they
        have room for.</p>
      <div class="gpus">${dataTable(
        'GPUs',
        [
          { name: 'GPU memory', isHead: true },
          { name: 'GPUs', isNumber: true },
          { name: 'Longest request', isNumber: true },
        ],
        worthSaying(facts.gpus).map(({ memoryGB, count, contextLength }) => [
          `${memoryGB} GB`,
          String(count),
          contextLength === 0 ? '–' : `${contextLength.toLocaleString('en')} tokens`,
        ]),
      )}</div>
    </section>
  `;
}

/** Without sizes that are no better than a smaller one. */
function worthSaying(gpus: readonly GpuNeed[]): GpuNeed[] {
  return gpus.filter((one, index) => {
    const smaller = gpus[index - 1];
    return smaller === undefined || one.count < smaller.count || one.contextLength > smaller.contextLength;
  });
}

/** Returns what keeps it from running on the vLLM of its image; nothing if nothing is known to. */
export function fitSection({ fit, version }: CatalogModel): Markup {
  if (fit === null || fit.findings.length === 0) return null;
  return html`
    <section class="note" aria-labelledby="fit">
      <h2 id="fit">It may not run</h2>
      <p>Found by a check against ${version === null ? 'the vLLM of its image' : `vLLM ${version}`}:</p>
      <ul>${fit.findings.map(({ message, remedy }) => html`<li>${message}${remedy === undefined ? '' : ` ${remedy}`}</li>`)}</ul>
    </section>
  `;
}

/** Returns the flags that its server starts with. */
export function flagsSection({ serveArgs }: CatalogModel): Markup {
  if (serveArgs.length === 0) return null;
  return html`
    <section aria-labelledby="flags">
      <h2 id="flags">Flags</h2>
      <p>What <code>vllm serve</code> is started with. Arguments after the image's name are added to them.</p>
      <ul class="flags">${writtenFlags(serveArgs).map(({ words }) => html`<li><code>${plainLine(words.join(' '), 400)}</code></li>`)}</ul>
    </section>
  `;
}

/** Returns adapters that are asked for by their own names; nothing if the image has none. */
export function adaptersSection({ adapters }: CatalogModel): Markup {
  if (adapters.length === 0) return null;
  return html`
    <section aria-labelledby="adapters">
      <h2 id="adapters">Adapters</h2>
      <p>LoRA adapters that the same server has. A request names one as its <code>model</code>.</p>
      ${dataTable(
        'Adapters',
        [{ name: 'Name', isHead: true }, { name: 'Repository' }, { name: 'License' }, { name: 'Revision' }],
        adapters.map(({ name, id, license, revision }) => [
          html`<code>${name}</code>`,
          hubLink(id),
          license ?? 'none declared',
          hash(revision, 'revision'),
        ]),
      )}
    </section>
  `;
}
