import type { ByteSource, OpenOptions } from '../../core/byte-source.ts';
import { SharedBudget } from '../../core/shared-budget.ts';
import type { ByteSpan } from '../types.ts';
import { FileLink } from './file-link.ts';
import { type FileRequest, type FileSpan, RangesRefused, readSpan } from './file-span.ts';
import { readParallelRanges, type SegmentBudget } from './parallel-ranges.ts';
import {
  DEFAULT_RANGES,
  RangeConcurrency,
  type RangeExperience,
  type RangeSettings,
} from './range-concurrency.ts';

/** Reading large files by several ranges at once, for all files of one Hub. */
export interface RangeOptions extends RangeSettings {
  /** What one range asks for. */
  readonly segmentBytes: number;
  readonly budget: SegmentBudget;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Segments of the whole process that are on their way or wait for their turn. */
const MAX_SEGMENTS = 4;

/** Returns how files are read in several ranges, at most `maxRanges` at once. */
export function rangeOptions(maxRanges: number = DEFAULT_RANGES.maxRanges): RangeOptions {
  const budget = new SharedBudget('hub-segments', MAX_SEGMENTS);
  return { ...DEFAULT_RANGES, maxRanges, segmentBytes: SEGMENT_BYTES, budget };
}

/**
 * Files of the Hub as sources. A file is read as one stream; if that is what everything waits for, by several ranges
 * at once. What breaks off is taken up where it stood, and a signed link that has expired is made anew.
 */
export class FileReader {
  readonly #ranges: RangeOptions;
  readonly #experience: RangeExperience = { bytes: 0, ranges: 1 };

  constructor(ranges: RangeOptions) {
    this.#ranges = ranges;
  }

  /** Returns the file, or its bytes in `span`, as a source. Reading throws HubError, IntegrityError. */
  source(request: FileRequest, span?: ByteSpan): ByteSource {
    const { path, sizeBytes } = request.file;
    const { start, end } = span ?? { start: 0, end: sizeBytes };
    return {
      name: path,
      sizeBytes: end - start,
      open: options => this.#read(request, end, { ...options, start: start + options.start }),
    };
  }

  async *#read(request: FileRequest, end: number, options: OpenOptions): AsyncGenerator<Uint8Array> {
    const { url, headers } = request;
    const { maxRanges, segmentBytes, budget } = this.#ranges;
    const { buffers, signal } = options;
    const control = new RangeConcurrency(this.#ranges, this.#experience);
    const link = new FileLink({ url, headers });
    const onTrouble = (): void => control.trouble();
    const rest: Omit<FileSpan, 'start'> = { end, link, onTrouble, isRangeNeeded: false };
    let position = options.start;
    let knowsRanges = maxRanges > 1 && buffers !== undefined;
    const mayAdd = (): boolean =>
      knowsRanges &&
      link.canBeShared &&
      budget.left >= (control.ranges > 1 ? 1 : 2) &&
      end - position >= 2 * segmentBytes;
    while (position < end) {
      const isParallel = control.ranges > 1 && buffers !== undefined;
      const bytes = isParallel
        ? readParallelRanges({
            start: position,
            end,
            segmentBytes,
            ranges: () => control.ranges,
            budget,
            buffers,
            signal,
            open: (from, to, rangeSignal) =>
              readSpan(
                request,
                { start: from, end: to, link, onTrouble, isRangeNeeded: true },
                { signal: rangeSignal, buffers },
              ),
          })
        : readSpan(request, { ...rest, start: position }, options);
      try {
        for await (const chunk of bytes) {
          position += chunk.length;
          control.arrived(chunk.length, mayAdd);
          yield chunk;
          control.taken();
          if (!isParallel && control.ranges > 1) break;
        }
      } catch (error) {
        if (!(error instanceof RangesRefused)) throw error;
        knowsRanges = false;
      }
      if (isParallel && control.ranges > 1) control.retreat();
    }
  }
}
