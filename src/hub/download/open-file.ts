import type { ByteSource, OpenOptions } from '../../core/byte-source.ts';
import { SharedBudget } from '../../core/shared-budget.ts';
import type { ByteSpan } from '../types.ts';
import { FileLink } from './file-link.ts';
import { type FileRequest, type FileSpan, RangesRefused, readSpan } from './file-span.ts';
import { DEFAULT_LANES, LaneControl, type LaneExperience, type LaneSettings } from './lane-control.ts';
import { readInLanes, type SegmentBudget } from './read-lanes.ts';

/** Reading large files by several ranges at once, for all files of one Hub. */
export interface LaneOptions extends LaneSettings {
  /** What one range asks for. */
  readonly segmentBytes: number;
  readonly budget: SegmentBudget;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Segments of the whole process that are on their way or wait for their turn. */
const MAX_SEGMENTS = 4;

export function laneOptions(maxLanes: number = DEFAULT_LANES.maxLanes): LaneOptions {
  const budget = new SharedBudget('hub-segments', MAX_SEGMENTS);
  return { ...DEFAULT_LANES, maxLanes, segmentBytes: SEGMENT_BYTES, budget };
}

/**
 * Files of the Hub as sources. A file is read as one stream; where that is what everything waits for, by several ranges
 * at once. What breaks off is taken up where it stood, and a signed link that has expired is made anew.
 */
export class FileReader {
  readonly #lanes: LaneOptions;
  readonly #experience: LaneExperience = { bytes: 0, lanes: 1 };

  constructor(lanes: LaneOptions) {
    this.#lanes = lanes;
  }

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
    const { maxLanes, segmentBytes, budget } = this.#lanes;
    const { buffers, signal } = options;
    const control = new LaneControl(this.#lanes, this.#experience);
    const link = new FileLink({ url, headers });
    const onTrouble = (): void => control.trouble();
    const rest: Omit<FileSpan, 'start'> = { end, link, onTrouble, isRangeNeeded: false };
    let position = options.start;
    let knowsRanges = maxLanes > 1 && buffers !== undefined;
    const mayAdd = (): boolean =>
      knowsRanges &&
      link.canBeShared &&
      budget.left >= (control.lanes > 1 ? 1 : 2) &&
      end - position >= 2 * segmentBytes;
    while (position < end) {
      const isInLanes = control.lanes > 1 && buffers !== undefined;
      const bytes = isInLanes
        ? readInLanes({
            start: position,
            end,
            segmentBytes,
            lanes: () => control.lanes,
            budget,
            buffers,
            signal,
            open: (from, to, laneSignal) =>
              readSpan(
                request,
                { start: from, end: to, link, onTrouble, isRangeNeeded: true },
                { signal: laneSignal, buffers },
              ),
          })
        : readSpan(request, { ...rest, start: position }, options);
      try {
        for await (const chunk of bytes) {
          position += chunk.length;
          control.arrived(chunk.length, mayAdd);
          yield chunk;
          control.taken();
          if (!isInLanes && control.lanes > 1) break;
        }
      } catch (error) {
        if (!(error instanceof RangesRefused)) throw error;
        knowsRanges = false;
      }
      if (isInLanes && control.lanes > 1) control.retreat();
    }
  }
}
