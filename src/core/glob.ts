import { createContext, Script } from 'node:vm';
import { WeighbridgeError } from './errors.ts';
import { quoted } from './safe-text.ts';

/** A glob of models.yaml, and whether it matches a text. */
export interface GlobTest {
  readonly glob: string;
  readonly isMatch: (text: string) => boolean;
}

/** An honest glob needs some milliseconds for all names of the largest models. */
const LIMIT_MS = 2_000;
/** Only a script of its own can be stopped in the middle of a regular expression. */
const MATCH_ALL = new Script('matchAll()');

/**
 * Returns the texts that at least one glob matches. A glob is a regular expression whose time grows with a power of its
 * wildcards, and while it runs no signal is heard: after two seconds for all texts this throws WeighbridgeError
 * CONFIG_INVALID, with the glob as its subject.
 */
export function matched(globs: readonly GlobTest[], texts: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  let [at, glob] = ['', ''];
  const matchAll = (): void => {
    for (const text of texts) {
      at = text;
      const isFound = globs.some(one => {
        glob = one.glob;
        return one.isMatch(text);
      });
      if (isFound) found.add(text);
    }
  };
  if (globs.length === 0) return found;
  try {
    MATCH_ALL.runInContext(createContext({ matchAll }), { timeout: LIMIT_MS });
    return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new WeighbridgeError(`the glob ${quoted(glob)} takes too long for the name ${quoted(at)}`, {
      code: 'CONFIG_INVALID',
      subject: glob,
      remedy: 'Use fewer "*" and "{" in it, or several shorter globs.',
      cause: error,
    });
  }
}
