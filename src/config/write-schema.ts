import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { modelsJsonSchemaText } from './json-schema.ts';
import { referenceMarkdown } from './reference-markdown.ts';

// Run as `npm run schema` after a change of schema.ts.
const root = path.join(import.meta.dirname, '../..');
await mkdir(path.join(root, 'schema'), { recursive: true });
await writeFile(path.join(root, 'schema/models.schema.json'), modelsJsonSchemaText());
await writeFile(path.join(root, 'docs/reference.md'), referenceMarkdown());
