import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import type { Severity } from '../config/types.ts';
import { withoutSecrets } from '../core/child-env.ts';
import { InterruptedError, WeighbridgeError } from '../core/errors.ts';
import { isRecord, parsedJson } from '../core/json-shape.ts';
import { plainLine } from '../core/safe-text.ts';
import { parseTrivyReport, type TrivyReport } from './trivy-report.ts';

/** Trivy's version, and that of its database. */
export interface TrivyVersion {
  readonly version: string;
  /** ISO 8601; null while it has no database. */
  readonly databaseDate: string | null;
}

/** The part of SARIF that is relied upon; https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export interface SarifLog {
  readonly runs: readonly object[];
}

/** Which findings a report leaves out. */
export interface ReportFilter {
  readonly severity?: readonly Severity[];
  readonly ignoreFile?: string | null;
}

/** A base of a dozen gigabytes takes longer than Trivy's own five minutes. */
const TIMEOUT = '3h';
/** An ignore file that ignores nothing, where Trivy would take the one of the folder that it is run in. */
const NOTHING = 'nothing-ignored';

/** The Trivy of this machine. Its own settings (`TRIVY_…`, `trivy.yaml`) hold, so that a proxy or mirror needs no flag here. */
export class Trivy {
  readonly #command: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal | undefined;
  #version: TrivyVersion | undefined;
  #hasScanned = false;

  constructor(command: string, env: NodeJS.ProcessEnv, signal?: AbortSignal) {
    this.#command = command;
    this.#env = env;
    this.#signal = signal;
  }

  /** Throws SCANNER_MISSING if there is no Trivy. */
  async version(): Promise<TrivyVersion> {
    this.#version ??= await this.#askVersion();
    return this.#version;
  }

  async #askVersion(): Promise<TrivyVersion> {
    const { stdout } = await this.#run(['version', '--format', 'json'], 'asking Trivy for its version');
    const version = parseTrivyVersion(stdout);
    if (version === undefined) throw this.#unknownForm('its version');
    return version;
  }

  /** Scans an image that this machine can pull without a login. */
  async scanImage(
    { reference, name }: { readonly reference: string; readonly name: string },
    scanners: readonly string[],
  ): Promise<TrivyReport> {
    return await this.#inFolder(async folder => {
      const output = path.join(folder, 'report.json');
      const args = [
        ...['image', '--image-src', 'remote', '--format', 'json', '--output', output, '--quiet'],
        ...['--timeout', TIMEOUT, '--scanners', scanners.join(','), '--list-all-pkgs=false'],
        ...(scanners.includes('misconfig') ? ['--image-config-scanners', 'misconfig,secret'] : []),
        // What the caller asks of the report is for `convert`, which sees the whole of it.
        ...[
          '--severity',
          'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL',
          '--exit-code',
          '0',
          '--ignorefile',
          path.join(folder, NOTHING),
        ],
        reference,
      ];
      await this.#run(args, `scanning ${name}`);
      // The first scan may have brought a newer database.
      if (!this.#hasScanned) this.#version = undefined;
      this.#hasScanned = true;
      const report = parseTrivyReport(await readFile(output, 'utf8'));
      if (report === undefined) throw this.#unknownForm(`its report on ${name}`);
      return report;
    });
  }

  /** The same report without what the filter takes out. Throws SCANNER_FAILED. */
  async filtered(report: TrivyReport, filter: ReportFilter): Promise<TrivyReport> {
    const left = parseTrivyReport(await this.convert(report, 'json', filter));
    if (left === undefined) throw this.#unknownForm('the rest of a report');
    return left;
  }

  /** A report as SARIF, whose runs are objects. Throws SCANNER_FAILED. */
  async sarif(report: TrivyReport, filter: ReportFilter): Promise<SarifLog> {
    const log = parseSarif(await this.convert(report, 'sarif', filter));
    if (log === undefined) throw this.#unknownForm('SARIF');
    return log;
  }

  /** A report in another format, or the same one without what the filter takes out. */
  async convert(
    report: TrivyReport,
    format: 'json' | 'sarif' | 'table',
    filter: ReportFilter,
  ): Promise<string> {
    return await this.#inFolder(async folder => {
      const [input, output] = [path.join(folder, 'in.json'), path.join(folder, 'out')];
      await writeFile(input, JSON.stringify(format === 'sarif' ? withUriTargets(report) : report));
      const { severity, ignoreFile } = filter;
      const args = [
        ...['convert', '--format', format, '--output', output, '--quiet', '--exit-code', '0'],
        ...(severity === undefined ? [] : ['--severity', severity.join(',')]),
        ...['--ignorefile', ignoreFile ?? path.join(folder, NOTHING)],
        input,
      ];
      await this.#run(args, `writing a report as ${format}`);
      return await readFile(output, 'utf8');
    });
  }

  async #inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-scan-'));
    await writeFile(path.join(folder, NOTHING), '');
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #run(args: readonly string[], doing: string): Promise<{ stdout: string }> {
    const result = await execa(this.#command, args, {
      env: { ...withoutSecrets(this.#env), TRIVY_SKIP_VERSION_CHECK: 'true' },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      ...(this.#signal === undefined ? {} : { cancelSignal: this.#signal }),
    });
    if (this.#signal?.aborted) throw new InterruptedError();
    if (!result.failed) return result;
    if (result.exitCode === undefined && result.signal === undefined) throw this.#startFailure(result);
    const { exitCode, signal, stderr } = result;
    throw new WeighbridgeError(`${doing}: Trivy ended with ${exitCode ?? signal}: ${lastWords(stderr)}`, {
      code: 'SCANNER_FAILED',
      remedy:
        'It downloads its database: see docs/troubleshooting.md if that server cannot be reached from here.',
    });
  }

  #unknownForm(what: string): Error {
    return new WeighbridgeError(`Trivy writes ${what} in an unknown format: ${this.#command}`, {
      code: 'SCANNER_FAILED',
      remedy: 'Use the version of Trivy that docs/ci.md names, or name another with --trivy <path>.',
    });
  }

  #startFailure(cause: { readonly code?: string | undefined }): Error {
    return new WeighbridgeError(
      `Trivy cannot be started: ${this.#command} ${cause.code === 'ENOENT' ? 'was not found' : `failed with ${cause.code}`}`,
      {
        code: 'SCANNER_MISSING',
        remedy:
          'Install it (https://trivy.dev/docs/latest/getting-started/installation/), or name it with --trivy <path>.',
        cause,
      },
    );
  }
}

/** Returns what `trivy version --format json` prints; undefined if it is not that. */
export function parseTrivyVersion(stdout: string): TrivyVersion | undefined {
  const json = parsedJson(stdout);
  if (!isRecord(json) || typeof json.Version !== 'string') return undefined;
  const { Version, VulnerabilityDB: database } = json;
  const date = isRecord(database) && typeof database.UpdatedAt === 'string' ? database.UpdatedAt : null;
  return { version: plainLine(Version), databaseDate: date === null ? null : plainLine(date) };
}

/** Returns a SARIF log; undefined if the text is not one. */
export function parseSarif(text: string): SarifLog | undefined {
  const json = parsedJson(text);
  return isRecord(json) && Array.isArray(json.runs) && json.runs.every(isRecord)
    ? { ...json, runs: json.runs }
    : undefined;
}

/**
 * Trivy reads the target of a questionable setting as a URI for SARIF, and ends with a panic if it is none: a port before
 * the first slash is not part of a relative one.
 */
function withUriTargets(report: TrivyReport): TrivyReport {
  const results = report.Results?.map(result => ({
    ...result,
    Target: result.Target.replace(/^[^/]*/, host => host.replaceAll(':', '%3A')),
  }));
  return results === undefined ? report : { ...report, Results: results };
}

/** Trivy's errors end with the cause, after a chain of what it was doing. */
function lastWords(stderr: string): string {
  const lines = stderr.trim().split('\n').slice(-3).join(' ');
  return plainLine(lines.replaceAll(/\S+T\S+Z\s+FATAL\s+(?:Fatal error\s+)?/g, ''), 600);
}
