import { compareBytes } from '../core/bytes-order.ts';
import type { HubFile } from '../hub/types.ts';

/** The legal texts of a model's repository, in any of its folders, best first where there are several of a kind. */
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
  const notices = candidates.filter(({ path }) => NOTICE.test(nameOf(path)));
  const rest = candidates.filter(file => !notices.includes(file));
  const licenses = rest.filter(({ path }) => isLicense(path));
  const others = rest.filter(file => !licenses.includes(file) && OTHER.test(nameOf(file.path)));
  return {
    licenses: licenses.toSorted((a, b) => licenseRank(a) - licenseRank(b) || compareBytes(a.path, b.path)),
    notices: notices.toSorted((a, b) => noticeRank(a) - noticeRank(b) || compareBytes(a.path, b.path)),
    others,
  };
}

/** Whether a licence file is about something beside the model: its code, others' work, a part in a folder of its own. */
export function isAboutPart(file: HubFile, { licenses }: LegalFiles): boolean {
  if (/code|third/i.test(nameOf(file.path)) && !/model|weights/i.test(nameOf(file.path))) return true;
  const hasOneAtRoot = licenses.some(({ path }) => !path.includes('/'));
  return hasOneAtRoot && file.path.includes('/') && !LEGAL_FOLDER.test(file.path);
}

/** Whether a file restricts what the model may be used for. */
export function isUsePolicy({ path }: HubFile): boolean {
  return /use[-_ ]?polic|usage[-_ ]?polic|acceptable[-_ ]?use|prohibited[-_ ]?use|use[-_ ]?restrictions/i.test(
    nameOf(path),
  );
}

/** Where projects keep several: `LICENSES/MIT.txt` (https://reuse.software), `legal/terms.md`. */
const LEGAL_FOLDER = /^(?:licen[cs]es?|legal)\//i;

function isLicense(path: string): boolean {
  const name = nameOf(path);
  if (/^third[-_ ]?party/i.test(name)) return false;
  return (
    LICENSE.test(name) ||
    (/^licen[cs]es?\//i.test(path) && /^[^.]+$|\.(?:txt|md|rst)$/i.test(name) && !OTHER.test(name))
  );
}

function isLegalText({ path, sizeBytes }: HubFile): boolean {
  return sizeBytes > 0 && sizeBytes <= MAX_LEGAL_BYTES && !NOT_A_TEXT.test(path);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * A file named exactly `LICENSE` keeps that name in the image. Else the one about the weights is best (repositories
 * have `LICENSE-CODE` beside `LICENSE-MODEL`), then plain names, and what is about something else comes last.
 */
function licenseRank({ path: wholePath }: HubFile): number {
  const path = nameOf(wholePath);
  if (path !== wholePath) return 10 + (/model|weights/i.test(wholePath) ? 0 : 1);
  if (path === 'LICENSE') return 0;
  if (/model|weights/i.test(path)) return 1;
  if (/^licen[cs]e(\.(txt|md|rst))?$/i.test(path)) return 2;
  if (/^copying/i.test(path)) return 4;
  if (/code|third|\.(pdf|html?)$/i.test(path)) return 6;
  return /^licen[cs]e/i.test(path) ? 3 : 5;
}

function noticeRank({ path }: HubFile): number {
  if (path.includes('/')) return 10;
  if (path === 'NOTICE') return 0;
  return /^notice(\.(txt|md))?$/i.test(path) ? 1 : 2;
}
