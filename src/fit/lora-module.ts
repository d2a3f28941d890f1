import { parsedJson } from '../core/json-shape.ts';
import { recordOf, textOf } from './json-value.ts';

/** An adapter as a value of `--lora-modules` names it: `name=path`, or JSON with `name` and `path`. */
export interface LoraModule {
  readonly name: string;
  /** A folder or a repository; empty if none is named. */
  readonly path: string;
}

/** Returns what a value of `--lora-modules` names. */
export function loraModuleOf(text: string): LoraModule {
  const { name, path } = recordOf(parsedJson(text));
  const [plainName = '', ...rest] = text.split('=');
  return { name: textOf(name) ?? plainName, path: textOf(path) ?? rest.join('=') };
}
