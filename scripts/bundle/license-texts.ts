import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { ROOT } from './bundling.ts';

/**
 * Returns the licenses of all packages that are in a bundle, each below its name and version. `asData` are packages that
 * are in it as data and so not among its inputs.
 */
export function licenseTexts({ inputs }: Metafile, asData: readonly string[] = []): string {
  const packages = new Set(asData.map(name => `node_modules/${name}`));
  for (const file of Object.keys(inputs)) {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    if (folder !== undefined) packages.add(folder);
  }
  const texts = [...packages].sort().map(folder => {
    const { name, version, license } = JSON.parse(
      readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'),
    );
    const file = readdirSync(path.join(ROOT, folder)).find(entry => /^(?:licen[cs]e|copying)/i.test(entry));
    const body =
      file === undefined ? `License: ${license}` : readFileSync(path.join(ROOT, folder, file), 'utf8');
    return `${name} ${version}\n\n${body.trim()}\n`;
  });
  const own = 'Weighbridge is dedicated to the public domain under CC0-1.0. It contains:';
  return [own, ...texts].join(`\n${'-'.repeat(80)}\n`);
}
