import { STATEMENT_NAMES } from '../../attest/statement.ts';
import { describeStatements } from '../../attest/stored-statements.ts';
import { SEVERITIES } from '../../config/types.ts';
import { holdsWeights } from '../../config/variants.ts';
import { formatBytes } from '../../core/text.ts';
import { type ModelLabels, readLabels, readModelLabels } from '../../image/format/labels.ts';
import { type ImageLayerKind, LAYER_KINDS } from '../../image/format/layer-kinds.ts';
import { baseOf, licenseOf, lineageOf, sizesByKind, totalBytes } from '../../image/image-facts.ts';
import { ANY_PLATFORM, type ListedFile, type PublishedImage } from '../../image/published-image.ts';
import type { Descriptor } from '../../oci/types.ts';
import { newestScan, type ScanSummary } from '../../scan/scan-referrer.ts';
import { type InspectedImage, type Inspection, runsOf, useOf } from '../json/inspect-json.ts';
import { clean, counted, fitted, paragraph, widthOf } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import { billions } from './fit-text.ts';
import type { TextOptions } from './plan-table.ts';

/** Returns the text of `inspect` for people. No line break at its end. */
export function inspectText(
  inspection: Inspection,
  { columns, isColor, isListingFiles }: TextOptions & { readonly isListingFiles: boolean },
): string {
  const style = styleFor(isColor);
  const sections = inspection.images.map(inspected =>
    section(inspection, inspected, { columns, style, isListingFiles }).join('\n'),
  );
  if (sections.length === 0) return `${clean(inspection.reference)} has no image for any platform`;
  return sections.join('\n\n');
}

/** `generate, 7.62 B parameters, bf16, 32768 tokens` */
function modelSentence({ task, parameters, precision, quantization, contextLength }: ModelLabels): string {
  return [
    task,
    parameters === undefined ? undefined : `${billions(parameters)} parameters`,
    precision,
    quantization === precision ? undefined : quantization,
    contextLength === undefined ? undefined : `${contextLength} tokens`,
  ]
    .filter(part => part !== undefined)
    .join(', ');
}

interface SectionOptions {
  readonly columns: number;
  readonly style: Style;
  readonly isListingFiles: boolean;
}

const LABEL_WIDTH = 10;

function section({ reference }: Inspection, inspected: InspectedImage, options: SectionOptions): string[] {
  const { image, files } = inspected;
  const { columns, style, isListingFiles } = options;
  const { model, labels } = image;
  const base = baseOf(image);
  const row = (label: string, text: string | undefined): string[] =>
    text === undefined || text === ''
      ? []
      : paragraph(clean(text), { columns, indent: 2, label: `${label} `.padEnd(LABEL_WIDTH) });
  const modelBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const fetched = model !== undefined && !holdsWeights(model.variant) ? ', fetched at its first start' : '';
  const runs = runsOf(reference, inspected);
  const use = useOf(reference, inspected);
  return [
    style.strong(clean(reference)),
    ...row('title', readLabels(labels).title),
    ...(model === undefined
      ? row('model', 'none: this image was not published by Weighbridge')
      : [
          ...row(
            'variant',
            image.platform === ANY_PLATFORM ? model.variant : `${model.variant} for ${image.platform}`,
          ),
          ...row('model', model.id),
          ...row('revision', model.revision),
          ...row('facts', modelSentence(readModelLabels(labels))),
          ...row('files', `${counted(files.length, 'file')}, ${formatBytes(modelBytes)}${fetched}`),
        ]),
    ...image.adapters.flatMap(({ name, id, revision, license }) =>
      row('adapter', `${name}: ${id} at ${revision.slice(0, 12)} (${license ?? 'no license declared'})`),
    ),
    ...row('license', licenseText(image)),
    ...lineageOf(image).flatMap(({ id, license }) =>
      row('made from', `${id} (${license ?? 'no license declared'})`),
    ),
    ...row('base', base?.name),
    ...row('digest', image.digest),
    ...row('created', image.config.created),
    ...row('scan', scanText(newestScan(inspected.referrers)?.summary)),
    ...row('stated', statementsText(inspected.referrers)),
    '',
    ...layerLines(image, options),
    ...(isListingFiles ? ['', ...files.flatMap(file => fileLines(file, columns))] : []),
    ...(runs === null ? [] : ['', style.strong('Run it'), ...indented(runs.docker)]),
    ...(use === null ? [] : ['', style.strong('Use it'), ...indented(use)]),
  ];
}

/** A slim image's own license is not that of the model, which it does not contain. */
function licenseText(image: PublishedImage): string {
  const { modelLicense } = readLabels(image.labels);
  const license = licenseOf(image) ?? 'none declared';
  const hasModel = image.model === undefined || holdsWeights(image.model.variant);
  return hasModel || modelLicense === undefined ? license : `${license}; of the model: ${modelLicense}`;
}

/** What refers to the image says so itself: only a verification proves it. */
function statementsText(referrers: readonly Descriptor[]): string | undefined {
  const names = describeStatements(referrers).map(({ kind, predicateType }) =>
    kind === undefined ? (predicateType ?? 'something unknown') : STATEMENT_NAMES[kind],
  );
  if (names.length === 0) return undefined;
  return `${[...new Set(names)].sort().join(', ')}; \`weighbridge verify --signed\` shows by whom`;
}

function scanText(scan: ScanSummary | undefined): string {
  if (scan === undefined) return 'none attached';
  const counts = SEVERITIES.flatMap(severity => {
    const count = scan.vulnerabilities[severity];
    return count === 0 ? [] : [`${count} ${severity.toLowerCase()}`];
  });
  const found = counts.length === 0 ? 'nothing known' : `${counts.join(', ')} (${scan.fixable} can be fixed)`;
  const secrets = scan.secrets === 0 ? '' : `, ${counted(scan.secrets, 'secret')}`;
  return `${found}${secrets}; ${scan.scanner} on ${scan.scannedAt.slice(0, 10)}`;
}

const KIND_WORDS: Readonly<Record<ImageLayerKind, string>> = {
  base: 'base image',
  weights: 'weights',
  files: 'small files',
  bootstrap: 'bootstrap',
  links: 'links',
  licenses: 'licenses',
  signature: 'signature',
};

/** A bar for each kind of layer, all on one scale. */
function layerLines(image: PublishedImage, { columns, style }: SectionOptions): string[] {
  const sizes = sizesByKind(image);
  const total = totalBytes(sizes);
  const figures = (bytes: number, count: number): string =>
    `${formatBytes(bytes).padStart(8)}  ${counted(count, 'layer')}`;
  const barWidth = Math.min(40, columns - 14 - widthOf(figures(total, image.layers.length)) - 4);
  const lines = LAYER_KINDS.filter(kind => sizes[kind] > 0).map(kind => {
    const count = image.layers.filter(layer => layer.kind === kind).length;
    const filled = Math.max(1, Math.round((sizes[kind] / total) * barWidth));
    const paint = kind === 'base' ? style.quiet : style.good;
    const bar =
      barWidth < 8 ? '' : `${paint('█'.repeat(filled))}${' '.repeat(Math.max(0, barWidth - filled))} `;
    return `  ${fitted(KIND_WORDS[kind], 12)}${bar}${figures(sizes[kind], count)}`;
  });
  const gap = barWidth < 8 ? '' : ' '.repeat(barWidth + 1);
  return [
    style.strong('Layers'),
    ...lines,
    `  ${fitted('total', 12)}${gap}${figures(total, image.layers.length)}`,
  ];
}

function fileLines({ path, sizeBytes, sha256, gitOid }: ListedFile, columns: number): string[] {
  const hash = sha256 ?? (gitOid === undefined ? '' : `git ${gitOid}`);
  return paragraph(`${clean(path)}  ${formatBytes(sizeBytes)}  ${hash}`, { columns, indent: 2 });
}

function indented(text: string): string[] {
  return text.split('\n').map(line => `  ${line}`);
}
