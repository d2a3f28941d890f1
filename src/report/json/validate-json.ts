import type { ConfigProblem, InvalidConfigError } from '../../config/problems.ts';
import type { Config } from '../../config/types.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { errorToJson } from '../../core/errors.ts';

/** What `validate --json` prints of a file that could be read. */
export interface ValidateJson {
  readonly schemaVersion: 1;
  /** As it was named. */
  readonly file: string;
  /** Files that it includes. */
  readonly included: readonly string[];
  readonly models: readonly { readonly id: string; readonly short: string }[];
  /** One for each mistake, by file and place; empty if the file is valid. */
  readonly problems: readonly ConfigProblemJson[];
  /** Absent if the file is valid. */
  readonly error?: ErrorJson;
}

/** One mistake, and where it is. */
export type ConfigProblemJson = Omit<ConfigProblem, 'sourceLine'>;

/** Returns the document of a valid file. */
export function validToJson({ file, included, models }: Config): ValidateJson {
  return {
    schemaVersion: 1,
    file,
    included,
    models: models.map(({ id, short }) => ({ id, short })),
    problems: [],
  };
}

/** Returns the document of a file with mistakes. */
export function invalidToJson(file: string, error: InvalidConfigError): ValidateJson {
  return {
    schemaVersion: 1,
    file,
    included: [],
    models: [],
    problems: error.problems.map(toProblem),
    error: errorToJson(error),
  };
}

function toProblem({ sourceLine: _, ...problem }: ConfigProblem): ConfigProblemJson {
  return problem;
}
