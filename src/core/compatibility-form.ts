/** As many as a stream-safe text has of them: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format */
const MAX_MARKS = 30;

/** What stays behind its letter; the two of Japanese are letters, and marks once they are decomposed. */
const MORE_MARKS = new RegExp(String.raw`([\p{M}\uff9e\uff9f]{${MAX_MARKS}})[\p{M}\uff9e\uff9f]+`, 'gu');

/**
 * Returns a text in Unicode's compatibility form. Of the marks on one letter, those after the thirtieth are left out, which
 * no writing has: they are put in order one by one, so that a text of marks takes a time that grows with its square.
 */
export function compatibilityForm(text: string, form: 'NFKC' | 'NFKD' = 'NFKC'): string {
  return text.replace(MORE_MARKS, '$1').normalize(form);
}
