import * as z from 'zod';
import type { Check } from './field-checks.ts';

interface TextMeta {
  readonly pattern?: RegExp;
  readonly maxLength?: number;
  readonly format?: string;
  readonly examples?: readonly string[];
}

/**
 * Returns a schema for text that `check` finds no fault with. What the JSON Schema can say of it, its pattern, is part
 * of the check.
 */
export function text(check: Check, { pattern, ...meta }: TextMeta = {}) {
  const schema = z.string().check(({ value, issues }) => {
    const fault = check(value);
    if (fault === undefined) return;
    issues.push({
      code: 'custom',
      message: fault.message,
      input: value,
      params: { suggestion: fault.suggestion },
    });
  });
  return schema.meta({ ...meta, ...(pattern === undefined ? {} : { pattern: pattern.source }) });
}

/** Returns the schema of a list with at least one item, none of them twice. */
export function listOf<T extends z.ZodType>(item: T) {
  return unique(z.array(item).min(1));
}

/** Returns a schema for a list in which no item is repeated. */
export function unique<T extends z.ZodType>(list: z.ZodArray<T>) {
  return list.superRefine((value, { addIssue }) => {
    if (!Array.isArray(value)) return;
    for (const [index, item] of value.entries()) {
      if (value.indexOf(item) !== index)
        addIssue({ code: 'custom', message: 'is in the list already', path: [index], input: item });
    }
  }, ALWAYS);
}

/** For a check that runs even if the value has other mistakes: all of a file are shown at once. */
export const ALWAYS = { when: () => true };
