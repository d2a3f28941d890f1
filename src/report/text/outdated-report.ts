import { describeError, errorFromJson } from '../../core/errors.ts';
import type { OutdatedJson } from '../json/outdated-json.ts';
import { clean, paragraph } from '../layout/text-layout.ts';
import { styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

/** Returns the text of `outdated` for people. No line break at its end. */
export function outdatedReport(result: OutdatedJson, options: TextOptions): string {
  return [modelLines(result, options), ...newerLines(result, options)].join('\n');
}

function newerLines({ bases = [] }: OutdatedJson, { columns }: TextOptions): string[] {
  return bases.flatMap(({ baseImage, newest, models }) => {
    const all = models.length === 1 ? 'its model' : `its ${models.length} models`;
    return paragraph(
      `${clean(baseImage)}: vLLM ${newest} is newer, and no incompatibility with ${all} is known.`,
      { columns, indent: 2, label: '' },
    );
  });
}

function modelLines({ models }: OutdatedJson, { columns, isColor }: TextOptions): string {
  if (models.length === 0) return 'Everything is up to date.';
  const style = styleFor(isColor);
  const lines = models.flatMap(({ short, images, error }) => [
    style.strong(clean(short)),
    ...images.flatMap(({ registry, variant, reasons }) =>
      paragraph(`${clean(registry)} ${variant}: ${reasons.map(clean).join('; ')}`, { columns, indent: 2 }),
    ),
    ...(error === undefined
      ? []
      : paragraph(clean(describeError(errorFromJson(error))), { columns, indent: 2 }).map(style.bad)),
  ]);
  return lines.join('\n');
}
