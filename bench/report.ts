import { MIB } from '../src/core/units.ts';
import type { Row } from './cases.ts';

export interface Column {
  readonly title: string;
  value(row: Row): string;
}

export const perGigabyte = (row: Row): number => row.cpuSeconds / (row.bytes / 1e9);
export const rateOf = (row: Row): number => row.bytes / 1e6 / row.seconds;

const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '-';

export const COLUMNS = {
  seconds: { title: 'seconds', value: row => fixed(row.seconds, 1) },
  rate: { title: 'MB/s', value: row => fixed(rateOf(row), 0) },
  cpu: { title: 'own CPU s/GB', value: row => fixed(perGigabyte(row), 2) },
  targetCpu: {
    title: 'target CPU s/GB',
    value: row => (row.targetCpuSeconds ? fixed(row.targetCpuSeconds / (row.bytes / 1e9), 2) : '-'),
  },
  peak: { title: 'peak MiB', value: row => fixed(row.peakBytes / MIB, 0) },
  written: { title: 'written MiB', value: row => fixed(row.writtenBytes / MIB, 1) },
  ownCpu: { title: 'own CPU s', value: row => fixed(row.cpuSeconds, 1) },
  requests: { title: 'requests at the target', value: row => fixed(row.targetRequests ?? Number.NaN, 0) },
  fetched: { title: 'fetched MiB', value: row => fixed((row.fetchedBytes ?? Number.NaN) / MIB, 1) },
  unpacked: { title: 'unpacked MiB', value: row => fixed((row.unpackedBytes ?? Number.NaN) / MIB, 1) },
  uploaded: { title: 'uploaded KiB', value: row => fixed((row.uploadedBytes ?? Number.NaN) / 1024, 1) },
} satisfies Record<string, Column>;

/** How many times as much CPU, or time, as another row. */
export function ratioTo(title: string, base: Row, of: (row: Row) => number): Column {
  return { title, value: row => fixed(of(row) / of(base), 2) };
}

/** A Markdown table. */
export function table(rows: readonly Row[], columns: readonly Column[]): string {
  const head = ['what', ...columns.map(column => column.title)];
  const lines = rows.map(row => [row.name, ...columns.map(column => column.value(row))]);
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, rule, ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}
