import path from 'node:path';
import type { BuildOptions } from 'esbuild';

export const ROOT = path.join(import.meta.dirname, '..', '..');

/** What the single file and the package's command have in common. */
export const BUNDLING = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // Names stay, for the sake of stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  // The texts of all licenses are added instead: `licenseTexts`.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;
