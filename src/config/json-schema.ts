import * as z from 'zod';
import { configFile } from './schema.ts';

/** Returns the JSON Schema (draft 7, which editors know best) of `models.yaml`. */
export function modelsJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(configFile, { target: 'draft-7', io: 'input' }) };
}

/** Returns the text of `schema/models.schema.json`. */
export function modelsJsonSchemaText(): string {
  return `${JSON.stringify(modelsJsonSchema(), undefined, 2)}\n`;
}
