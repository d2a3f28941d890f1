// The one place where foreign text is made safe to show: to a terminal, a log, a CI runner that obeys what it reads.

const MAX_SHOWN_CHARACTERS = 200;

/** Returns text from outside in quotes, cut, with everything escaped that is not seen or that moves what is (`\u202e`). */
export function quoted(text: string): string {
  const characters = [...text];
  const isCut = characters.length > MAX_SHOWN_CHARACTERS;
  const shown = isCut ? `${characters.slice(0, MAX_SHOWN_CHARACTERS).join('')}…` : text;
  return JSON.stringify(shown).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, character =>
    [...Array(character.length).keys()]
      .map(index => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/**
 * Returns foreign text fit for a sentence: one line, nothing invisible, no command to a CI runner, cut at `maxLength`
 * characters.
 */
export function plainLine(text: string, maxLength = 120): string {
  const line = withoutCommands(text.replace(/[\p{C}\p{Z}\s]+/gu, ' ').trim());
  const characters = [...line];
  return characters.length <= maxLength ? line : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/** Returns text of several lines, some of it foreign, fit to be shown: nothing moves the cursor or commands a CI runner. */
export function plainLines(text: string): string {
  return withoutCommands(visible(text));
}

/** Returns as `text`, of the same length, with a sign in place of what is not seen or moves what is; lines and tabs stay. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu, character =>
    character === '\n' || character === '\t' ? character : '\uFFFD'.repeat(character.length),
  );
}

/** GitHub's runner obeys `::command::` at the start of a line and `##[command]` anywhere in it. */
function withoutCommands(text: string): string {
  return text.replace(/(^|\s):(?=:)/g, '$1: ').replaceAll('##[', '## [');
}
