import { SEVERITIES, VARIANTS } from '../../config/types.ts';
import { hasServer } from '../../config/variants.ts';
import { formatBytes } from '../../core/text.ts';
import type { ImageChange } from '../../image/image-change.ts';
import { totalBytes } from '../../image/image-facts.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import type { ImageScan, ScanFinding } from '../../scan/types.ts';
import type { ImageJson, PublishModelJson } from '../json/publish-json.ts';
import { counted } from '../layout/text-layout.ts';
import { runCommand } from '../serve/run-commands.ts';
import { mdCode, mdDetails, mdFence, mdLink, mdTable, mdText } from './markdown.ts';

/** The part of a job summary about one model. Markdown. */
export interface ModelSection {
  readonly text: string;
  readonly isFailed: boolean;
}

const ICONS = { published: '✅', unchanged: '✅', skipped: '⏭️', failed: '❌' } as const;
const MAX_FINDINGS = 50;
const MAX_PATHS = 5;

/** Returns one model's part of the page: decisions, images, and folded what few people need. */
export function modelSection(model: PublishModelJson, scans: readonly ImageScan[]): ModelSection {
  const { id, short, revision, error, images } = model;
  const at =
    revision === null ? '' : ` at ${mdLink(revision.slice(0, 12), `${hubPage(id)}/tree/${revision}`)}`;
  const title = `### ${mdText(short)}\n\n${mdLink(id, hubPage(id))}${at}`;
  if (error !== undefined) {
    const remedy = error.remedy === undefined ? '' : ` ${mdText(error.remedy)}`;
    return { text: `${title}\n\n❌ ${mdText(error.message)}.${remedy}`, isFailed: true };
  }
  const blocks = [
    title,
    decisionLines(model),
    ...imageTable(images),
    ...problems(images),
    ...changes(images),
    ...scanBlocks(scans),
    ...sizes(images),
    ...howToRun(model),
  ];
  const isFailed = images.some(image => image.status === 'failed' || image.refusedTags !== undefined);
  return { text: blocks.join('\n\n'), isFailed };
}

function decisionLines({ decisions, images }: PublishModelJson): string {
  return VARIANTS.flatMap(variant => {
    const decision = decisions?.[variant];
    if (decision === undefined) return [];
    const { build, reason } = decision;
    const lines = [`- **${variant}** ${build ? 'is built' : 'is left out'}: ${mdText(reason)}`];
    // What others get and one registry would not take has no line in the table.
    const without = images.filter(image => image.variant === variant && image.tags.length === 0);
    for (const { registry, reason: why = '' } of build ? without : [])
      lines.push(`- **${variant}** is left out for ${mdText(registry)}: ${mdText(why)}`);
    return lines;
  }).join('\n');
}

function imageTable(images: readonly ImageJson[]): string[] {
  const shown = images.filter(image => image.tags.length > 0);
  if (shown.length === 0) return [];
  const columns = [
    { title: 'Image' },
    { title: 'Tags and digest' },
    { title: 'Size', isNumber: true },
    { title: 'Uploaded', isNumber: true },
    { title: 'Mounted', isNumber: true },
    { title: 'There already', isNumber: true },
  ];
  const rows = shown.map(({ registry, variant, status, tags, digest, sizes, bytes, reason, signature }) => [
    `${ICONS[status]} ${mdText(registry)} ${variant}<br>${status}${reason === undefined ? '' : `: ${mdText(reason)}`}${signatureText(signature)}`,
    [...tags, ...(digest === undefined ? [] : [digest])].map(mdCode).join('<br>'),
    sizes === undefined ? '' : formatBytes(totalBytes(sizes)),
    formatBytes(bytes.uploaded),
    formatBytes(bytes.mounted),
    formatBytes(bytes.reused),
  ]);
  return [mdTable(columns, rows)];
}

function signatureText(signature: ImageJson['signature']): string {
  if (signature === undefined) return '';
  return signature.status === 'signed' ? ', signed' : ', **not signed**';
}

function problems(images: readonly ImageJson[]): string[] {
  const lines = images.flatMap(({ registry, variant, error, refusedTags = [], signature }) => {
    const errors = [error ?? signature?.error, ...(error ? [] : refusedTags.map(one => one.error))];
    return errors.flatMap(one => {
      if (one === undefined) return [];
      const remedy = one.remedy === undefined ? '' : ` ${mdText(one.remedy)}`;
      return [`> ❌ **${mdText(registry)} ${variant}**: ${mdText(one.message)}.${remedy}`];
    });
  });
  return lines.length === 0 ? [] : [[...new Set(lines)].join('\n>\n')];
}

/** Registries mostly agree, so what is the same for all of them is said once. */
function changes(images: readonly ImageJson[]): string[] {
  const lines = images.flatMap(({ variant, change }) =>
    change === undefined ? [] : [`- **${variant}** since the last publish: ${changeText(change)}`],
  );
  return lines.length === 0 ? [] : [[...new Set(lines)].join('\n')];
}

/** Returns in words what changed since the image that the tag named before. */
export function changeText({ revision, base, adapters = {}, files }: ImageChange): string {
  const parts = [
    ...(revision === undefined
      ? []
      : [`revision ${mdCode(revision.from.slice(0, 12))} → ${mdCode(revision.to.slice(0, 12))}`]),
    ...Object.entries(adapters).map(
      ([name, { from, to }]) =>
        `adapter ${mdCode(name)} ${mdCode(from.slice(0, 12) || 'none')} → ${mdCode(to.slice(0, 12) || 'none')}`,
    ),
    ...(base === undefined
      ? []
      : [`base ${mdCode(base.from.slice(0, 19))} → ${mdCode(base.to.slice(0, 19))}`]),
    ...(files === undefined
      ? []
      : [
          fileText('added', files.added),
          fileText('changed', files.changed),
          fileText('removed', files.removed),
        ]),
  ].filter(text => text !== '');
  return parts.length === 0 ? 'nothing of the model or its base' : parts.join('; ');
}

function fileText(what: string, paths: readonly string[]): string {
  if (paths.length === 0) return '';
  const names = paths.slice(0, MAX_PATHS).map(path => mdCode(path.slice(path.lastIndexOf('/') + 1)));
  const more = paths.length > MAX_PATHS ? ` and ${paths.length - MAX_PATHS} more` : '';
  return `${what} ${names.join(', ')}${more}`;
}

function scanBlocks(scans: readonly ImageScan[]): string[] {
  if (scans.length === 0) return [];
  const columns = [
    { title: 'Scan' },
    ...SEVERITIES.map(severity => ({ title: titled(severity), isNumber: true })),
    { title: 'With a fix', isNumber: true },
    { title: 'Secrets', isNumber: true },
    { title: 'Settings', isNumber: true },
  ];
  const rows = scans.map(({ variant, platform, summary, failing }) => [
    `${failing > 0 ? '❌' : '🔍'} ${variant} ${mdText(platform)}`,
    ...SEVERITIES.map(severity => String(summary.vulnerabilities[severity])),
    ...[summary.fixable, summary.secrets, summary.misconfigurations].map(String),
  ]);
  const findings = new Map(
    scans.flatMap(scan => scan.findings).map(one => [`${one.id} ${one.subject}`, one] as const),
  );
  const scanner = scans[0]?.summary;
  const database = scanner?.databaseDate ? `, database of ${mdText(scanner.databaseDate.slice(0, 10))}` : '';
  return [
    mdTable(columns, rows),
    ...(findings.size === 0
      ? []
      : [
          mdDetails(
            `${counted(findings.size, 'finding')} (${mdText(scanner?.scanner ?? '')}${database})`,
            findingTable([...findings.values()]),
          ),
        ]),
  ];
}

function findingTable(findings: readonly ScanFinding[]): string {
  const columns = ['Severity', 'Id', 'What', 'Where', 'Installed', 'Fixed in'].map(title => ({ title }));
  const rows = findings
    .slice(0, MAX_FINDINGS)
    .map(one => [
      titled(one.severity),
      one.id.startsWith('CVE-')
        ? mdLink(one.id, `https://nvd.nist.gov/vuln/detail/${one.id}`)
        : mdText(one.id),
      mdText(one.title, 120),
      `${mdCode(one.subject)}${one.origin === 'base' ? ' (base image)' : ''}`,
      one.installedVersion === undefined ? '' : mdCode(one.installedVersion),
      one.fixedVersion === undefined ? '' : mdCode(one.fixedVersion),
    ]);
  const more = findings.length - rows.length;
  return `${mdTable(columns, rows)}${more > 0 ? `\n\nand ${more} more in the report beside the image` : ''}`;
}

function sizes(images: readonly ImageJson[]): string[] {
  const byVariant = new Map(
    images.flatMap(one => (one.sizes === undefined ? [] : [[one.variant, one.sizes]])),
  );
  if (byVariant.size === 0) return [];
  const kinds = ['base', 'weights', 'files', 'bootstrap', 'licenses'] as const;
  const columns = [{ title: 'Layers' }, ...kinds.map(title => ({ title, isNumber: true }))];
  const rows = [...byVariant].map(([variant, size]) => [
    variant,
    ...kinds.map(kind => formatBytes(size[kind])),
  ]);
  return [mdDetails('Sizes by kind of layer', mdTable(columns, rows))];
}

function howToRun({ short, images, serve }: PublishModelJson): string[] {
  const runnable = images.filter(
    ({ status, variant }) => (status === 'published' || status === 'unchanged') && hasServer(variant),
  );
  const first = runnable[0];
  if (serve === undefined || first === undefined) return [];
  const commands = runnable
    .filter(image => image.registry === first.registry)
    .map(({ variant, tags: [reference = ''] }) =>
      runCommand('docker', { ...serve, reference, name: `hf-${short}`, variant }),
    );
  return [mdDetails('How to run it', mdFence('bash', commands.join('\n\n')))];
}

function titled(severity: string): string {
  return severity.charAt(0) + severity.slice(1).toLowerCase();
}
