import { parseArgs } from 'node:util';

export const GROUPS = ['engine', 'sizes', 'ranges', 'registry', 'changes', 'many', 'node'] as const;
export type Group = (typeof GROUPS)[number];

export interface BenchOptions {
  readonly files: number;
  readonly fileBytes: number;
  readonly rounds: number;
  /** Models of the list in `many`. */
  readonly models: number;
  readonly groups: readonly Group[];
  /** Where the results go as JSON. */
  readonly json: string | undefined;
  /** Where the plots go. */
  readonly plots: string | undefined;
}

export const HELP = `npm run bench -- [options]
  --files <n>        weight files of the model (4)
  --size <MiB>       of each of them (512)
  --rounds <n>       fresh runs of each case, medians are shown (3)
  --models <n>       models of the list in many (1000)
  --only <group>     ${GROUPS.join(', ')}; can be given more than once
  --json <file>      writes all figures of all runs
  --plots <folder>   writes the plots as SVG`;

export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      files: { type: 'string', default: '4' },
      size: { type: 'string', default: '512' },
      rounds: { type: 'string', default: '3' },
      models: { type: 'string', default: '1000' },
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      plots: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    files: positive('files', values.files),
    fileBytes: positive('size', values.size) * 1024 * 1024,
    rounds: positive('rounds', values.rounds),
    models: positive('models', values.models),
    groups: GROUPS.filter(group => values.only === undefined || values.only.includes(group)),
    json: values.json,
    plots: values.plots,
  };
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new RangeError(`--${name}: expected a number from 1 on, got ${text}`);
}
