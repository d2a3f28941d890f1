// Makes the package's command, dist/cli, the program and its dependencies in few files:
//   node scripts/bundle/make-command.ts [FOLDER]
// Node.js would find, read and compile 570 modules one by one at each start, which takes longer than most commands run. Each
// command stays a part that is loaded on demand. The files are flat in the folder, one below dist and two below the package's
// root, as the modules of src are that find files by their own address (own-files.ts, package-info.ts, worker-entry.ts). The
// same inputs give the same bytes.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { builtins } from './builtins.ts';
import { BUNDLING, ROOT } from './bundling.ts';
import { licenseTexts } from './license-texts.ts';

const OUTPUT = path.resolve(ROOT, process.argv[2] ?? 'dist/cli');

const { metafile } = await build({
  ...BUNDLING,
  // The parts of main.js are loaded before what main.ts imports first, small-nursery.ts. They are too few to matter, unlike
  // as many modules of their own: the space of new objects is still small when it is set.
  entryPoints: { main: 'src/cli/main.ts', 'blob-worker': 'src/engine/blob-worker.ts' },
  outdir: OUTPUT,
  splitting: true,
  target: 'node24.15',
  // Node.js prints the line of an error, which without a limit would be a whole file.
  lineLimit: 200,
  // Its texts are data, read one license at a time.
  external: ['spdx-license-list'],
  plugins: [builtins(['require-call'])],
});

for (const [file, { imports }] of Object.entries(metafile.inputs)) {
  const broken = imports.find(
    one => one.kind === 'dynamic-import' && metafile.inputs[one.path]?.format === 'cjs',
  );
  if (broken !== undefined)
    throw new Error(
      `${file} imports ${broken.path} on demand, which is CommonJS: only its default would be there`,
    );
}
writeFileSync(path.join(OUTPUT, 'LICENSES.txt'), licenseTexts(metafile));
