import { SEVERITIES } from '../../config/types.ts';
import { plainLines } from '../../core/safe-text.ts';
import { formatBytes } from '../../core/text.ts';
import type { ImageScan } from '../../scan/types.ts';
import type { ScanJson } from '../json/scan-json.ts';
import { clean, paragraph } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

/** Returns a scan for people: Trivy's own tables, then the result. No line break at its end. */
export function scanReport(
  { scans, failures }: ScanJson,
  tables: readonly string[],
  { columns, isColor }: TextOptions,
): string {
  if (scans.length + failures.length === 0)
    return 'Nothing of this is published yet, so there was nothing to scan.';
  const style = styleFor(isColor);
  const blocks = [
    // Names of packages and files in them are whatever the image has.
    ...tables.map(table => plainLines(table.trim())).filter(table => table !== ''),
    ...scans.map(scan =>
      lines(scan, style)
        .flatMap(text => paragraph(text, { columns, indent: 0 }))
        .join('\n'),
    ),
    ...failures.map(({ short, variant, error }) =>
      [
        style.bad(`${clean(short)} ${variant} was not scanned: ${clean(error.message)}`),
        ...(error.remedy === undefined ? [] : [clean(error.remedy)]),
      ].join('\n'),
    ),
  ];
  return blocks.join('\n\n');
}

function lines(scan: ImageScan, style: Style): string[] {
  const { short, variant, summary, read, sizeBytes, failing, base } = scan;
  const counts = SEVERITIES.map(severity => `${summary.vulnerabilities[severity]} ${severity.toLowerCase()}`);
  const others = `${summary.secrets} secrets, ${summary.misconfigurations} questionable settings`;
  const baseText =
    base === null
      ? ''
      : read.base === 0
        ? '; the base image was scanned before'
        : `, and ${formatBytes(read.base)} of the base image`;
  return [
    `${style.strong(`${clean(short)} ${variant}`)}: ${counts.join(', ')} (${summary.fixable} with a fix); ${others}`,
    style.quiet(`read ${formatBytes(read.own)} of ${formatBytes(sizeBytes)}${baseText}`),
    ...(failing === 0 ? [] : [style.bad(`${failing} of a severity that scan.fail_on names`)]),
  ];
}
