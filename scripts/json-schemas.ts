import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';

// Makes schema/json/ from the types of the documents that commands print with --json: `node scripts/json-schemas.ts`.
// With --check nothing is written, and a schema that is not what its type says fails.

const ROOT = path.join(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, 'schema', 'json');
const DOCUMENTS = [
  'Inspect',
  'Ls',
  'Outdated',
  'Plan',
  'Prune',
  'Publish',
  'Scan',
  'Update',
  'Validate',
  'Verify',
];

const isCheck = process.argv.includes('--check');
const generator = createGenerator({
  path: path.join(ROOT, 'src', 'report', 'json', 'index.ts'),
  tsconfig: path.join(ROOT, 'tsconfig.json'),
  type: '*',
  skipTypeCheck: true,
  // Keys are added in later releases, and readers have to take that.
  additionalProperties: true,
  sortProps: true,
});
mkdirSync(FOLDER, { recursive: true });
const stale = DOCUMENTS.filter(name => {
  const schema = {
    title: `weighbridge ${name.toLowerCase()} --json`,
    ...generator.createSchema(`${name}Json`),
  };
  const file = path.join(FOLDER, `${name.toLowerCase()}.schema.json`);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (!isCheck) writeFileSync(file, text);
  // How it is laid out is the formatter's.
  return isCheck && JSON.stringify(schema) !== JSON.stringify(JSON.parse(readFileSync(file, 'utf8')));
});
if (stale.length > 0) {
  process.stderr.write(
    `schema/json is not what the types say (${stale.join(', ')}): run \`npm run schema\`\n`,
  );
  process.exitCode = 1;
}
