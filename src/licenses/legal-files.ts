import path from 'node:path';
import { byPath, compareBytes } from '../core/bytes-order.ts';
import { kindOf as kindOfFile } from '../core/model-files.ts';
import type { HubFile } from '../hub/types.ts';
import { DATA, isDocumentName, isProgramName, kindOfName, type LegalKind, partWords } from './legal-names.ts';

/** The legal texts of a model's repository, in any of its folders, best first if there are several of a kind. */
export interface LegalFiles {
  readonly licenses: readonly HubFile[];
  readonly notices: readonly HubFile[];
  readonly others: readonly HubFile[];
}

/** Returns the legal files of a repository, by their names. */
export function findLegalFiles(files: readonly HubFile[]): LegalFiles {
  const kinds = Map.groupBy(files, legalKind);
  const of = (kind: LegalKind): readonly HubFile[] => kinds.get(kind) ?? [];
  return {
    licenses: of('license').toSorted(
      (a, b) => licenseRank(a) - licenseRank(b) || compareBytes(a.path, b.path),
    ),
    notices: of('notice').toSorted((a, b) => noticeRank(a) - noticeRank(b) || compareBytes(a.path, b.path)),
    others: [...of('policy'), ...of('statement')].toSorted(byPath),
  };
}

/** Returns what a file's name says that it is, in whatever language; undefined if it is not a legal text by its name. */
export function legalKind({ path: file, sizeBytes }: HubFile): LegalKind | undefined {
  if (sizeBytes === 0 || isProgramName(file)) return undefined;
  if (['tokenizer', 'config', 'index', 'training', 'code'].includes(kindOfFile(file))) return undefined;
  return kindOfName(file);
}

/** Whether the text cannot be read as it is: it has to be opened in an office program, a viewer, an archiver. */
export function isDocument({ path: file }: HubFile): boolean {
  return isDocumentName(file);
}

/** Whether a file is a model card, in whatever language: `README.md`, `README_zh.md`, `MODEL_CARD.md`. */
export function isModelCard({ path: file }: HubFile): boolean {
  return /^(?:read[-_ ]?me(?:[-_. ][\w-]+)?|model[-_ ]?card(?:[-_. ][\w-]+)?)(?:\.(?:md|txt|rst|html?))?$/i.test(
    file,
  );
}

/** Returns texts at the root, or in a folder with weights, that are not legal by their names: their content may be. */
export function findOtherTexts(files: readonly HubFile[], weights: readonly HubFile[]): readonly HubFile[] {
  const folders = new Set(['.', ...weights.map(file => path.posix.dirname(file.path))]);
  return files.filter(
    file =>
      file.sizeBytes > 0 &&
      file.sizeBytes <= MAX_OTHER_BYTES &&
      (folders.has(path.posix.dirname(file.path)) || MODEL_FOLDER.test(path.posix.dirname(file.path))) &&
      !NOT_TEXT.test(file.path) &&
      !isDocumentName(file.path) &&
      !DATA.test(file.path) &&
      !isProgramName(file.path) &&
      !isModelCard(file) &&
      legalKind(file) === undefined &&
      kindOfFile(file.path) === 'other',
  );
}

/** Folders with the maker's own weights, whether they go into the image or not. */
const MODEL_FOLDER = /^(?:original|weights?|models?|checkpoints?|ckpts?)$/i;

/** What is called `notes.txt` and is longer is data. */
const MAX_OTHER_BYTES = 256 * 1024;
/** Sounds, films, tables and whatever else is not words; the rest may be. */
const NOT_TEXT =
  /\.(?:wav|mp3|mp4|flac|ogg|webm|avi|mov|ico|ttf|otf|woff2?|db|sqlite|pb|so|dll|exe|whl|jar|class|pyc|bib|cff|jinja2?|template|tmpl|j2|md5|sha\d+|sig|asc|pem|index|dat|ini|gitattributes|gitignore|gitmodules|dockerignore|keep)$/i;

/**
 * Whether a legal text is plainly about something beside the model: its code, others' work. A folder with weights in it is
 * about the model whatever it is called.
 */
export function isAboutPart(file: HubFile, weightFolders: ReadonlySet<string>): boolean {
  const folder = path.posix.dirname(file.path);
  if (weightFolders.has(folder) && folder !== '.') return false;
  if (partWords(path.posix.basename(file.path))) return true;
  return folder !== '.' && folder.split('/').some(name => PART_FOLDER.test(name));
}

/** Returns the folders that weights are in or below. */
export function foldersOf(weights: readonly HubFile[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const weight of weights) {
    let folder = path.posix.dirname(weight.path);
    while (!folders.has(folder)) {
      folders.add(folder);
      folder = path.posix.dirname(folder);
    }
  }
  return folders;
}

/** Folders with others' work, with code, and with what was made to test, show or describe it. */
const PART_FOLDER =
  /^(?:third[-_ ]?part(?:y|ies)|3rd[-_ ]?party|vendor(?:ed|s)?|external|deps|dependencies|node_modules|submodules?|code|src|source|libs?|scripts?|examples?|tests?|tools?|utils?|demos?|benchmarks?|eval(?:uation)?s?|notebooks?|datasets?|data|fonts?)$/i;

/**
 * A file named exactly `LICENSE` keeps that name in the image. Else the one about the weights is best (repositories
 * have `LICENSE-CODE` beside `LICENSE-MODEL`), then plain names, and what is about something else comes last.
 */
function licenseRank({ path: wholePath }: HubFile): number {
  const name = path.posix.basename(wholePath);
  if (name !== wholePath) return 10 + (/model|weights/i.test(wholePath) ? 0 : 1);
  if (name === 'LICENSE') return 0;
  if (/model|weights/i.test(name)) return 1;
  if (/^licen[cs]e(\.(txt|md|rst))?$/i.test(name)) return 2;
  if (/^copying/i.test(name)) return 4;
  if (partWords(name) || /\.(pdf|html?|docx?)$/i.test(name)) return 6;
  return /^licen[cs]e/i.test(name) ? 3 : 5;
}

function noticeRank({ path: wholePath }: HubFile): number {
  if (wholePath.includes('/')) return 10;
  if (wholePath === 'NOTICE') return 0;
  return /^notice(\.(txt|md))?$/i.test(wholePath) ? 1 : 2;
}
