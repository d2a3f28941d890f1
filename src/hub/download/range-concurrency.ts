/** When a file is read by several ranges at once, and by how many. */
export interface RangeSettings {
  readonly maxRanges: number;
  /** How long a rate is measured before it is judged: for this long, or until so many bytes have come. */
  readonly windowMs: number;
  readonly windowBytes: number;
}

/** How many ranges of a file are read at once, and the window in ms and bytes after which that is looked at again. */
export const DEFAULT_RANGES: RangeSettings = {
  maxRanges: 4,
  windowMs: 2000,
  windowBytes: 64 * 1024 * 1024,
};

/** Where the time comes from: of the clock, and of this thread being at work. Both only grow. */
export interface RangeClock {
  nowMs(): number;
  busyMs(): number;
}

const CLOCK: RangeClock = {
  nowMs: () => performance.now(),
  busyMs: () => performance.eventLoopUtilization().active,
};

/** What the files of one thread have in common. */
export interface RangeExperience {
  /** Bytes that came for all of them. */
  bytes: number;
  /** The number of ranges that was worth it last. */
  ranges: number;
}

/** Waiting for bytes this much of the time, or more, means that the source is the limit; less than `IDLE_SHARE`, that it is not. */
const WAIT_SHARE = 0.4;
const IDLE_SHARE = 0.05;
/** A thread that is busier than this is the limit itself, however long a file waits for its turn. */
const BUSY_SHARE = 0.85;
const MIN_GAIN = 1.1;
/** A rate over less time than this says nothing. */
const MIN_WINDOW_MS = 250;
/** Windows before a range is tried again: after one that brought nothing (twice as long each time), and after trouble. */
const FIRST_REST = 4;
const LONGEST_REST = 64;
const TROUBLE_REST = 30;

/**
 * Decides by how many ranges a file is read. It begins with one, watches who waits for whom, and tries one more where the
 * source is the limit; that one stays only if the file really came faster, and not at the cost of the thread's others. The next file tries
 * at once what was worth it for the last one.
 */
export class RangeConcurrency {
  ranges = 1;
  readonly #settings: RangeSettings;
  readonly #shared: RangeExperience;
  readonly #clock: RangeClock;
  #phase: 'watching' | 'settling' | 'judging' = 'watching';
  #window: Window;
  #sinceMs: number;
  #base: Rates & { readonly ranges: number } = { own: 0, all: 0, ranges: 1 };
  #rest = 0;
  #nextRest = FIRST_REST;
  #hasBegun = false;

  constructor(settings: RangeSettings, shared: RangeExperience, clock: RangeClock = CLOCK) {
    this.#settings = settings;
    this.#shared = shared;
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.#window = this.#openWindow();
  }

  /** Bytes have come, and the reader has been waiting for them. `mayAdd` tells whether there is memory for one more range. */
  arrived(bytes: number, mayAdd: () => boolean): void {
    this.#window.waitedMs += this.#lap();
    this.#window.bytes += bytes;
    this.#shared.bytes += bytes;
    // The time to the first byte says nothing about throughput.
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#window = this.#openWindow();
      return;
    }
    const { windowMs, windowBytes } = this.#settings;
    const lengthMs = this.#sinceMs - this.#window.startMs;
    const isOver = lengthMs >= windowMs || this.#window.bytes >= windowBytes;
    if (!isOver || lengthMs < Math.min(MIN_WINDOW_MS, windowMs)) return;
    this.#judge(this.#window, lengthMs, mayAdd);
    this.#window = this.#openWindow();
  }

  /** The reader has come back for more. */
  taken(): void {
    this.#window.heldMs += this.#lap();
  }

  /** The server has turned a request away or broken one off. */
  trouble(): void {
    this.#fall(Math.floor(this.ranges / 2), TROUBLE_REST);
  }

  /** One stream from now on, as there is no memory for more. */
  retreat(): void {
    this.#fall(1, FIRST_REST);
  }

  #judge(window: Window, lengthMs: number, mayAdd: () => boolean): void {
    const rates: Rates = {
      own: window.bytes / lengthMs,
      all: (this.#shared.bytes - window.allBytes) / lengthMs,
    };
    const waitShare = window.waitedMs / (window.waitedMs + window.heldMs);
    const busyShare = (this.#clock.busyMs() - window.busyMs) / lengthMs;
    this.#rest = Math.max(0, this.#rest - 1);
    if (this.#phase === 'settling') this.#phase = 'judging';
    else if (this.#phase === 'judging') this.#keepOrDrop(rates);
    else if (this.ranges > 1 && waitShare < IDLE_SHARE) this.ranges -= 1;
    else if (this.#rest === 0 && waitShare >= WAIT_SHARE && busyShare < BUSY_SHARE && this.#hasRoom(mayAdd)) {
      this.#base = { ...rates, ranges: this.ranges };
      this.ranges = Math.max(this.ranges + 1, Math.min(this.#shared.ranges, this.#settings.maxRanges));
      // The first window has the new connection's slow start in it.
      this.#phase = 'settling';
    }
  }

  #hasRoom(mayAdd: () => boolean): boolean {
    return this.ranges < this.#settings.maxRanges && mayAdd();
  }

  #keepOrDrop({ own, all }: Rates): void {
    this.#phase = 'watching';
    const gain = own - this.#base.own;
    if (own >= this.#base.own * MIN_GAIN && all - this.#base.all >= gain / 2) {
      this.#nextRest = FIRST_REST;
      this.#shared.ranges = this.ranges;
      return;
    }
    this.ranges = this.#base.ranges;
    this.#shared.ranges = this.ranges;
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(LONGEST_REST, this.#nextRest * 2);
  }

  #fall(ranges: number, rest: number): void {
    this.ranges = Math.max(1, ranges);
    this.#phase = 'watching';
    this.#rest = rest;
    this.#window = this.#openWindow();
  }

  #lap(): number {
    const nowMs = this.#clock.nowMs();
    const lapMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    return lapMs;
  }

  #openWindow(): Window {
    return {
      startMs: this.#sinceMs,
      busyMs: this.#clock.busyMs(),
      allBytes: this.#shared.bytes,
      bytes: 0,
      waitedMs: 0,
      heldMs: 0,
    };
  }
}

/** Bytes a millisecond: of one file, and of all in this thread. */
interface Rates {
  readonly own: number;
  readonly all: number;
}

interface Window {
  readonly startMs: number;
  readonly busyMs: number;
  readonly allBytes: number;
  bytes: number;
  waitedMs: number;
  heldMs: number;
}
