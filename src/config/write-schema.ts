import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { modelsJsonSchemaText } from './json-schema.ts';

// Run as `npm run schema` after a change of schema.ts.
const file = path.join(import.meta.dirname, '../../schema/models.schema.json');
await mkdir(path.dirname(file), { recursive: true });
await writeFile(file, modelsJsonSchemaText());
