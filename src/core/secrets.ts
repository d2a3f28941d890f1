// What no message may repeat: servers echo what they were sent, and their words are in errors, which go to logs.

/** A run has few logins and a token for each repository and hour; of more the oldest are forgotten. */
const MAX_SECRETS = 1000;
/** Shorter ones are in too many words. */
const MIN_CHARACTERS = 5;

const secrets = new Set<string>();

/** From now on `text` is hidden wherever errors show the words of others. */
export function noteSecret(text: string): void {
  if (text.length < MIN_CHARACTERS) return;
  // Last used, last forgotten.
  secrets.delete(text);
  secrets.add(text);
  for (const oldest of secrets) {
    if (secrets.size <= MAX_SECRETS) break;
    secrets.delete(oldest);
  }
}

/** As `noteSecret`, for an `Authorization` header: what is behind its scheme, and the password in it. */
export function noteAuthorization(header: string): void {
  const [scheme = '', value = ''] = header.split(' ', 2);
  noteSecret(value);
  if (scheme.toLowerCase() !== 'basic') return;
  const login = Buffer.from(value, 'base64').toString('utf8');
  noteSecret(login.slice(login.indexOf(':') + 1));
}

/** Returns `text` without any secret that was noted. */
export function hideSecrets(text: string): string {
  // One may be part of another.
  const found = [...secrets].filter(secret => text.includes(secret)).sort((a, b) => b.length - a.length);
  return found.reduce((hidden, secret) => hidden.replaceAll(secret, '…'), text);
}
