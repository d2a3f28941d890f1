import { readdirSync, readFileSync } from 'node:fs';
import type { BootstrapFile } from '../image/assemble/types.ts';

const FOLDER = new URL('../runtime/bootstrap/', import.meta.url);
const MODULES = 'weighbridge_bootstrap';

/** The bootstrap as it comes with this program: always in one order, and nothing that Python or an editor left there. */
export function readBootstrap(): readonly BootstrapFile[] {
  const modules = readdirSync(new URL(MODULES, FOLDER)).filter(name => /\.(py|json)$/.test(name));
  return [
    { path: 'bootstrap', text: textOf('bootstrap'), isExecutable: true },
    ...modules.sort().map(name => {
      const path = `${MODULES}/${name}`;
      return { path, text: textOf(path), isExecutable: false };
    }),
  ];
}

function textOf(path: string): string {
  return readFileSync(new URL(path, FOLDER), 'utf8');
}
