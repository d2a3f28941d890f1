import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from '../core/atomic-file.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { memoizeAsync } from '../core/pool.ts';
import { parseTrivyReport, type TrivyReport } from './trivy-report.ts';

/** A base image's report, and what it cost to make: nothing where an earlier one served. */
export interface BaseScan {
  readonly report: TrivyReport;
  readonly bytesRead: number;
}

/**
 * Reports of base images by the digest of their list of layers: each is made once in a run, whichever of the models on it
 * comes first; with a folder, once for all runs that share the folder.
 */
export class BaseScans {
  readonly #folder: string | undefined;
  readonly #made = new Map<Digest, () => Promise<BaseScan>>();
  readonly #get = memoizeAsync((digest: Digest) => this.#readOrMake(digest));

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** `make` is called if no one has the report yet; only the first caller is told of the bytes that it took. */
  async get(digest: Digest, make: () => Promise<BaseScan>): Promise<BaseScan> {
    const isFirst = !this.#made.has(digest);
    this.#made.set(digest, make);
    const scan = await this.#get(digest);
    return isFirst ? scan : { ...scan, bytesRead: 0 };
  }

  async #readOrMake(digest: Digest): Promise<BaseScan> {
    const kept = await this.#read(digest);
    if (kept !== undefined) return { report: kept, bytesRead: 0 };
    const make = this.#made.get(digest);
    if (make === undefined) throw new TypeError(`nothing makes the scan of ${digest}`);
    const scan = await make();
    await this.#write(digest, scan.report);
    return scan;
  }

  async #read(digest: Digest): Promise<TrivyReport | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      // Cut off by a job that was cancelled, or not a report: made anew.
      return parseTrivyReport(await readFile(this.#file(this.#folder, digest), 'utf8'));
    } catch {
      return undefined;
    }
  }

  async #write(digest: Digest, report: TrivyReport): Promise<void> {
    if (this.#folder === undefined) return;
    const file = this.#file(this.#folder, digest);
    await mkdir(this.#folder, { recursive: true });
    await writeFileAtomically(file, JSON.stringify(report));
  }

  #file(folder: string, digest: Digest): string {
    return path.join(folder, `base-${hexOf(digest)}.json`);
  }
}
