import { isRecord, parseJson } from '../core/json-shape.ts';
import { UnshardableError } from './safetensors-header.ts';

/** Which file holds which tensor, as `transformers` writes it: `model.safetensors.index.json`. */
export interface SafetensorsIndex {
  /** Everything but the map, as it was written. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** Name of the tensor to the name of a file in the same folder. */
  readonly weightMap: ReadonlyMap<string, string>;
}

/** Returns the index that a `*.safetensors.index.json` holds. Throws UnshardableError. */
export function parseSafetensorsIndex(path: string, text: string): SafetensorsIndex {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw wrong(path, 'it is not JSON');
  }
  if (!isRecord(value) || !isRecord(value.weight_map)) throw wrong(path, 'it has no weight_map');
  const { weight_map: map, ...rest } = value;
  const entries = Object.entries(map as Record<string, unknown>);
  const isNamed = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  if (!entries.every(isNamed)) throw wrong(path, 'its weight_map is not a map of texts');
  return { rest, weightMap: new Map(entries) };
}

/** Returns the text of an index as `transformers` writes it: by name, a tensor a line. */
export function formatSafetensorsIndex({ rest, weightMap }: SafetensorsIndex): string {
  const fields = Object.entries(rest).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${indented(value)},\n`,
  );
  const names = [...weightMap.keys()].sort();
  // Written by hand: an object would not keep the order of names that are numbers, nor one called `__proto__`.
  const lines = names.map(name => `    ${JSON.stringify(name)}: ${JSON.stringify(weightMap.get(name))}`);
  return `{\n${fields.join('')}  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`;
}

function indented(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
}

function wrong(path: string, what: string): UnshardableError {
  return new UnshardableError(path, `${path} is not an index of safetensors files: ${what}`);
}
