import type { ConfigProblem } from './problems.ts';
import { valueAt } from './schema-problems.ts';
import type { Path, YamlSource } from './yaml/yaml-source.ts';

/** A value in one of the files. */
export interface Place {
  readonly source: YamlSource;
  readonly path: Path;
}

/** Returns the place of `key` in the map at a place. */
export function within({ source, path }: Place, key: string): Place {
  return { source, path: [...path, key] };
}

/** Returns the value at a place; undefined if there is none. */
export function read({ source, path }: Place): unknown {
  return valueAt(source.value, path);
}

/** Returns a problem at a place: its file, line and column, with `message`. */
export function problemAt({ source, path }: Place, message: string): ConfigProblem {
  return source.problem(source.locate(path), message);
}

/** Returns where `key` is written for a model: in its own entry or in the defaults of the main file. */
export function written(key: string, model: Place, main: YamlSource): Place | undefined {
  return [within(model, key), { source: main, path: ['defaults', key] }].find(
    place => read(place) !== undefined,
  );
}
