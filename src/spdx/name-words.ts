/**
 * Whether words can be the name of somebody: the holder of a copyright, the author whom a warranty names. Such places
 * hold whatever their author writes, so they are where a clause would hide; what is not surely a name is not one.
 */
export function isNameWord(word: string): boolean {
  const plain = word.toLowerCase();
  if (isConditionWord(plain) || LETTERS_IN_BOXES.test(word)) return false;
  if (CONNECTIVES.has(plain)) return true;
  if (/^\p{N}/u.test(word) || /\p{Lu}|\p{Lt}/u.test(word)) return true;
  // Scripts without case: Chinese, Japanese, Korean, Arabic, Hebrew, …
  return !/\p{Ll}/u.test(word) && word.length <= MAX_CASELESS_CHARACTERS;
}

/** Whether words are a name in lower case: `xen0n`, `stability ai`. Function words of any language look the same. */
export function isSmallName(word: string): boolean {
  return /^[\p{Ll}\p{N}]{2,}$/u.test(word) && !isConditionWord(word);
}

const MAX_CASELESS_CHARACTERS = 14;
/** No name is written in letters in boxes or circles; a word that is to be overlooked may be. */
const LETTERS_IN_BOXES = /[\u{1f100}-\u{1f1ff}]/u;

/** Words that names are joined by, and what people call the holders of a copyright. */
const CONNECTIVES: ReadonlySet<string> = new Set(
  (
    'a ai al and an at by c corp co da de del della den der di do dos du e el et i inc la las le les ltd llc gmbh of original ' +
    's the und van von y zu zum zur its his her their other others various respective individual team group project community ' +
    'developer developers contributor contributors author authors creator creators maintainer maintainers owner owners ' +
    'holder holders copyright affiliate affiliates subsidiaries organization institution university regents foundation ' +
    'company corporation limited laboratory lab com org net io present now name names above mentioned listed copyrights on or nor'
  ).split(' '),
);

/** Words of terms, in English: a name has none of them, and no sentence of terms is without. */
const CONDITIONS: ReadonlySet<string> = new Set(
  (
    'am are be been being can cannot could did do does had has have he if is it may me must my our ours shall she should ' +
    'than that then there these they this those was we were when where which who whom whose will would you your only ' +
    'use used uses user users using usage non not no none never unless without except subject for from in to with only ' +
    'but because while during until under against between into about any all each every both but few more most some ' +
    'academic academics alone agreement agreements allow allowed allows approval approved as ask asking attribution authorized authorised ' +
    'ban banned beta charge clause clauses commerce commercial commercially competitor competitors condition conditions ' +
    'confidential consent copies copy copying customers deny denied disallow disallowed demo education educational ethical evaluate ' +
    'evaluating evaluation exclude excluded excludes excluding excl exclusive exclusively fee fees forbid forbidden forbids ' +
    'free grant granted grants harm harmful hobby illegal internal law lawful legal lend licence licences license licensed ' +
    'licensee licenses licensing military modification modifications modified modify noncommercial nonprofit obligation ' +
    'paid pay pays payment permission permissions permit permits permitted personal personally policy policies private ' +
    'profit prohibit prohibited prohibits proprietary purpose purposes redistribute redistributed redistribution rent ' +
    'require required requires reseller resell responsible restrict restricted restriction restrictions restricts revenue ' +
    'revocable revoke revoked royalties royalty sale sell selling share sold student students sublicense surveillance ' +
    'nc nd expire expired expires expiry pas pour term terms train training trial unauthorized unauthorised unlawful violate war weapon weapons noninfringement warranty'
  ).split(' '),
);

/** The same in other languages, by the beginnings of words or, in scripts that do not part words, by any part. */
const FOREIGN_CONDITIONS =
  /^(?:akadem|ausbild|bildung|lehr|stud(?:ent|ier)|nonprofit|noncomm|apenas|ausschlie|autoris|autoriz|bilimsel|comerci|comercial|commerci|erlaub|escopo|eval|exclus|forsch|fins$|gebruik|gewerb|gratuit|interdi|intern[ao]s?$|investig|kein|komerc|kommer|lizen|militair|militar|milit[aäe]r|n[aã]o$|nicht|niekom|nur$|pesquisa|priv[aé]|ohne$|tidak$|boleh$|hanya$|dilarang$|untuk$|bez$|tylko$|pouze$|endast$|csak$|sans$|senza$|sadece$|yasak|verkauf|vente$|vendita$|venta$|venda$|prohib|proib|recherch|ricerca|solo$|s[oó]lo$|somente|s[oó]lamente|soltanto|tijdens|ticar|uniquement|unicamente|[uú]nicamente|uso$|usage|utili[sz]|verbot|verboten|vietat|zakaz|zweck|военн|запрещ|исследов|коммер|лиценз|нельзя|некоммер|разреш|только|учебн)|[禁限仅僅供商许許授权權不非得须須应應]{2}|(?:研究|学术|學術)(?!院|所|中心|室)|用途|禁|仅|僅|不得|非商|商用|許諾|利用|使用|教育|目的|のみ|금지|상업|연구|전용|비영리|تجار|فقط|بحث|يحظر|אסור|מסחר|מחקר|ห้าม|निषिद्ध|व्यावसायिक/u;

/** Whether a word is one that joins names, or that every work's holders are called. */
export function isConnective(word: string): boolean {
  return CONNECTIVES.has(word.toLowerCase());
}

/** Returns whether a word may be a part of a condition, so that it is not a name. */
export function isConditionWord(plain: string): boolean {
  return CONDITIONS.has(plain) || FOREIGN_CONDITIONS.test(plain);
}
