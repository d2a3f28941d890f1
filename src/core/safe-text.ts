const MAX_SHOWN_CHARACTERS = 200;

/** Text from outside in quotes, cut, with everything escaped that is not seen or that moves what is (`\u202e`). */
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
