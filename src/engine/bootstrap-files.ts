import type { BootstrapFile } from '../image/types.ts';
import { listOwnFiles, readOwnFile } from './own-files.ts';

const FOLDER = 'bootstrap/';
const MODULE = /^weighbridge_bootstrap\/[^/]+\.(?:py|json)$/;

/**
 * Returns the bootstrap as it comes with this program: always in one order, and nothing that Python or an editor left
 * there.
 */
export function readBootstrap(): readonly BootstrapFile[] {
  const modules = listOwnFiles(FOLDER)
    .map(name => name.slice(FOLDER.length))
    .filter(name => MODULE.test(name));
  return ['bootstrap', ...modules].map(path => ({
    path,
    text: readOwnFile(`${FOLDER}${path}`).toString('utf8'),
    isExecutable: path === 'bootstrap',
  }));
}
