// Makes build/weighbridge.mjs, the whole program in one file, which needs nothing but Node.js:
//   npm run bundle [-- FILE]
// esbuild, because it also wraps modules that are loaded on demand, and lowers syntax that an old Node.js could not even read
// far enough to say that it is too old. The same inputs give the same bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';
import { listOwnFiles, listOwnFonts, readOwnFile } from '../../src/engine/own-files.ts';
import { loadSpdxList } from '../../src/spdx/spdx-list.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const OUTPUT = path.resolve(ROOT, process.argv[2] ?? 'build/weighbridge.mjs');
/** Modules of src that read files, by what takes their place. */
const REPLACED: Readonly<Record<string, string>> = {
  'src/engine/own-files.ts': 'own-files.ts',
  'src/engine/worker-entry.ts': 'worker-entry.ts',
  'src/spdx/spdx-list.ts': 'spdx-list.ts',
};
const VIRTUAL = 'weighbridge-virtual';

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const result = await build({
  entryPoints: [path.join(import.meta.dirname, 'entry.ts')],
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  outfile: OUTPUT,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  // Names stay, for the sake of stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [replacements(), builtins(), packedFiles()],
  // The bundle is a package build: what it was built from is in its build.json.
  define: { 'import.meta.dirname': 'undefined' },
});
const [code = ''] = (result.outputFiles ?? []).map(file => file.text);
const text = `${prelude()}${code}${licenses(result.metafile)}`;
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

/** Modules of Node.js as calls: an import statement that an old version cannot serve would come before our own message. */
function builtins(): Plugin {
  const filter = new RegExp(
    `^(?:node:)?(?:${builtinModules.filter(name => !name.startsWith('node:')).join('|')})$|^node:`,
  );
  return {
    name: 'builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter }, ({ path: name }) => ({
        path: name.startsWith('node:') ? name : `node:${name}`,
        namespace: 'builtin',
      }));
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
        loader: 'js',
      }));
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

/** The licenses of all packages that are in the bundle, as a comment. Throws if one has no text. */
function licenses(metafile: Metafile): string {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap(
      file => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
    ),
  );
  // As data, and so not among the inputs.
  for (const name of ['spdx-license-list', '@fontsource/ibm-plex-mono', '@fontsource-variable/ibm-plex-sans'])
    packages.add(`node_modules/${name}`);
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
  return `/*\n${[own, ...texts].join(`\n${'-'.repeat(80)}\n`).replaceAll('*/', '* /')}*/\n`;
}
