/** One challenge of a `WWW-Authenticate` header; https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */
export interface AuthChallenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Wider than the grammar: an address without quotes is seen in the wild. */
const BARE_VALUE = /[^\s,"]+/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;

/**
 * Returns all challenges of a header. Commas inside quotes belong to the value (Docker Hub sends
 * `scope="…:pull,push"`). What cannot be read is left out, never guessed.
 */
export function parseChallenges(header: string): AuthChallenge[] {
  const challenges: AuthChallenge[] = [];
  let position = 0;
  let parameters: Map<string, string> | undefined;
  const skip = (pattern: RegExp): void => {
    pattern.lastIndex = position;
    position += pattern.exec(header)?.[0].length ?? 0;
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(header)?.[0];
    if (found !== undefined) position += found.length;
    return found;
  };
  while (position < header.length) {
    skip(/[\s,]*/y);
    const name = take(TOKEN);
    if (name === undefined) {
      position += 1;
      continue;
    }
    const afterName = position;
    skip(/\s*/y);
    if (header[position] === '=' && parameters !== undefined) {
      position += 1;
      skip(/\s*/y);
      const value = header[position] === '"' ? quoted() : take(BARE_VALUE);
      if (value !== undefined && !parameters.has(name.toLowerCase()))
        parameters.set(name.toLowerCase(), value);
    } else {
      position = afterName;
      parameters = new Map();
      challenges.push({ scheme: name.toLowerCase(), parameters });
    }
  }
  return challenges;

  function quoted(): string {
    let value = '';
    for (position += 1; position < header.length && header[position] !== '"'; position++) {
      if (header[position] === '\\') position += 1;
      value += header[position] ?? '';
    }
    position += 1;
    return value;
  }
}
