// Makes build/weighbridge.mjs, the whole program in one file, which needs nothing but Node.js:
//   npm run bundle [-- FILE]
// esbuild, because it also wraps modules that are loaded on demand, and lowers syntax that an old Node.js could not even read
// far enough to say that it is too old. The same inputs give the same bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { listOwnFiles, listOwnFonts, readOwnFile } from '../../src/engine/own-files.ts';
import { loadSpdxList } from '../../src/spdx/spdx-list.ts';
import { builtins } from './builtins.ts';
import { BUNDLING, ROOT } from './bundling.ts';
import { licenseTexts } from './license-texts.ts';

const OUTPUT = path.resolve(ROOT, process.argv[2] ?? 'build/weighbridge.mjs');
/** Modules of src that read files, by what takes their place. */
const REPLACED: Readonly<Record<string, string>> = {
  'src/engine/own-files.ts': 'own-files.ts',
  'src/engine/worker-entry.ts': 'worker-entry.ts',
  'src/spdx/spdx-list.ts': 'spdx-list.ts',
};
const VIRTUAL = 'weighbridge-virtual';
/** Packages whose files are packed, or read, when the bundle is made. */
const AS_DATA = ['spdx-license-list', '@fontsource/ibm-plex-mono', '@fontsource-variable/ibm-plex-sans'];

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const result = await build({
  ...BUNDLING,
  entryPoints: [path.join(import.meta.dirname, 'entry.ts')],
  write: false,
  outfile: OUTPUT,
  target: 'node18',
  plugins: [replacements(), builtins(), packedFiles()],
  // The bundle is a package build: what it was built from is in its build.json.
  define: { 'import.meta.dirname': 'undefined' },
});
const [code = ''] = (result.outputFiles ?? []).map(file => file.text);
const licenses = licenseTexts(result.metafile, AS_DATA).replaceAll('*/', '* /');
const text = `${prelude()}${code}/*\n${licenses}*/\n`;
mkdirSync(path.dirname(OUTPUT), { recursive: true });
writeFileSync(OUTPUT, text, { mode: 0o755 });
const sha256 = createHash('sha256').update(text).digest('hex');
process.stderr.write(
  `${path.relative(ROOT, OUTPUT)}  ${(text.length / 1e6).toFixed(1)} MB  sha256:${sha256}\n`,
);

function replacements(): Plugin {
  return {
    name: 'replacements',
    setup({ onLoad }) {
      onLoad({ filter: /src[\\/].*\.ts$/ }, ({ path: file }) => {
        const name = path.relative(ROOT, file).split(path.sep).join('/');
        const other = REPLACED[name];
        if (other === undefined) return undefined;
        const place = path.join(import.meta.dirname, other);
        return { contents: readFileSync(place, 'utf8'), loader: 'ts', resolveDir: import.meta.dirname };
      });
    },
  };
}

function packedFiles(): Plugin {
  return {
    name: 'packed files',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^weighbridge:packed-/ }, ({ path: name }) => ({ path: name, namespace: VIRTUAL }));
      onLoad({ filter: /-files$/, namespace: VIRTUAL }, () => {
        const names = [
          ...(['assets/', 'bootstrap/', 'docs/', 'workflows/'] as const).flatMap(listOwnFiles),
          ...listOwnFonts(),
        ].filter(isWanted);
        const files = Object.fromEntries(names.map(name => [name, pack(readOwnFile(name))]));
        const own = { name: manifest.name, version: manifest.version, repository: manifest.repository };
        files['package.json'] = pack(JSON.stringify(own));
        files['build.json'] = pack(readFileSync(path.join(ROOT, 'dist/build.json')));
        return { contents: `export const packed = ${JSON.stringify(files)};`, loader: 'js' };
      });
      onLoad({ filter: /-spdx$/, namespace: VIRTUAL }, async () => {
        const list = Object.entries(await loadSpdxList()).map(([id, { name, licenseText }]) => [
          id,
          { name, licenseText },
        ]);
        return {
          contents: `export const packed = ${JSON.stringify(pack(JSON.stringify(Object.fromEntries(list))))};`,
          loader: 'js',
        };
      });
    },
  };
}

/** Nothing that Python, an editor or a compiler left there; of the workflows those that `init` writes. */
function isWanted(name: string): boolean {
  if (name.startsWith('workflows/')) return manifest.files.includes(`.github/${name}`);
  return (
    /\.(?:py|json|css|js|svg|png|md|yaml|woff2|ts)$|\/bootstrap$/.test(name) &&
    !/test_|__pycache__|tsconfig/.test(name)
  );
}

function pack(content: string | Buffer): string {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return brotliCompressSync(content, { params }).toString('base64');
}

function prelude(): string {
  const [, major = '', minor = ''] = /(\d+)\.(\d+)/.exec(manifest.engines.node) ?? [];
  return readFileSync(path.join(import.meta.dirname, 'prelude.js'), 'utf8')
    .replaceAll('__MAJOR__', major)
    .replaceAll('__MINOR__', minor)
    .replaceAll('__REPOSITORY__', manifest.repository.replace('github:', ''));
}
