import { homedir } from 'node:os';

/** Returns the user's own folder; undefined for one that has none, as an unknown number in a container may have. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.HOME || env.USERPROFILE) return env.HOME || env.USERPROFILE;
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
