import type { HubFile } from '../hub/types.ts';

/** The legal texts at the root of a model's repository, best first where there are several of a kind. */
export interface LegalFiles {
  readonly licenses: readonly HubFile[];
  readonly notices: readonly HubFile[];
  readonly others: readonly HubFile[];
}

/** What is longer is no text that anyone is meant to read. */
const MAX_LEGAL_BYTES = 4 * 1024 * 1024;

/** Names that are about licences but are programs, data or weights. */
const NOT_A_TEXT =
  /\.(py|js|ts|sh|c|cpp|json|jsonl|ya?ml|toml|csv|png|jpe?g|gif|svg|webp|bin|safetensors|pt|pth|gguf|onnx|h5|zip|gz|tar)$/i;

const LICENSE = /(^|[^a-z])(un)?licen[cs]e(s|agreement)?([^a-z]|$)|^copying([^a-z]|$)/i;
const NOTICE = /^(third[-_ ]?party[-_ ]?)?notices?([^a-z]|$)/i;
const OTHER =
  /^(acceptable[-_ ]?use|use[-_ ]?polic|usage[-_ ]?polic|prohibited[-_ ]?use|use[-_ ]?restrictions|terms([^a-z]|$)|third[-_ ]?party|attributions?([^a-z]|$)|copyrights?([^a-z]|$)|patents([^a-z]|$)|disclaimer([^a-z]|$))/i;

export function findLegalFiles(files: readonly HubFile[]): LegalFiles {
  const candidates = files.filter(isLegalText);
  const notices = candidates.filter(({ path }) => NOTICE.test(path));
  const rest = candidates.filter(file => !notices.includes(file));
  const licenses = rest.filter(({ path }) => LICENSE.test(path) && !/^third[-_ ]?party/i.test(path));
  const others = rest.filter(file => !licenses.includes(file) && OTHER.test(file.path));
  return {
    licenses: licenses.toSorted((a, b) => licenseRank(a) - licenseRank(b) || compareBytes(a.path, b.path)),
    notices: notices.toSorted((a, b) => noticeRank(a) - noticeRank(b) || compareBytes(a.path, b.path)),
    others,
  };
}

/** Order of the bytes, the same on every machine. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isLegalText({ path, sizeBytes }: HubFile): boolean {
  return !path.includes('/') && sizeBytes > 0 && sizeBytes <= MAX_LEGAL_BYTES && !NOT_A_TEXT.test(path);
}

/**
 * A file named exactly `LICENSE` keeps that name in the image. Else the one about the weights is best (repositories
 * have `LICENSE-CODE` beside `LICENSE-MODEL`), then plain names, and what is about something else comes last.
 */
function licenseRank({ path }: HubFile): number {
  if (path === 'LICENSE') return 0;
  if (/model|weights/i.test(path)) return 1;
  if (/^licen[cs]e(\.(txt|md|rst))?$/i.test(path)) return 2;
  if (/^copying/i.test(path)) return 4;
  if (/code|third|\.(pdf|html?)$/i.test(path)) return 6;
  return /^licen[cs]e/i.test(path) ? 3 : 5;
}

function noticeRank({ path }: HubFile): number {
  if (path === 'NOTICE') return 0;
  return /^notice(\.(txt|md))?$/i.test(path) ? 1 : 2;
}
