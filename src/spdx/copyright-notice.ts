import { isKnownAddress } from './markup.ts';
import { isConditionWord, isConnective, isNameWord, isSmallName } from './name-words.ts';

/**
 * Whether a line says no more than whose a work is: `Copyright (c) 2024 Acme, Inc. All rights reserved.` Whatever is not
 * surely that is not taken for it, since what a notice says is not part of the license.
 * `follows` is for a line below another notice, which may have its years or names alone.
 */
export function isCopyrightNotice(line: string, follows: boolean): boolean {
  if (line.length > MAX_NOTICE_CHARACTERS || !(SIGNS.test(line) || (follows && YEARS_FIRST.test(line))))
    return false;
  const plain = line
    .replace(REUSE_TAG, 'Copyright ')
    .replace(ADDRESSES, address => (isHarmlessAddress(address) ? ' ' : address))
    .replace(REFERENCES, ' ')
    .replace(RIGHTS, ' | ')
    .replace(INSTITUTES, '$1 of ')
    .replace(REPOSITORY, (authors, id: string) => (hasCondition(id) ? authors : 'the authors'))
    .replace(/\bFree Software Foundation\b/gi, 'FSF')
    .replaceAll(/[*_`~]+/g, ' ');
  const isRights = plain.includes(' | ');
  const statements = plain.split(STATEMENT_END).filter(part => /[\p{L}\p{N}]/u.test(part));
  if (statements.length === 0) return isRights;
  return statements.every((part, index) => isHolder(part, index === 0 && follows));
}

const MAX_NOTICE_CHARACTERS = 300;
const SIGNS =
  /copyright|copyleft|©|\(c\)|\bcopr\b|rights reserved|rechte vorbehalten|droits r|derechos r|direitos r|版权|版權|著作|保留|無断/i;

const REUSE_TAG = /^\s*SPDX-(?:File|Snippet)CopyrightText:/i;
const RIGHTS =
  /\b(?:all rights reserved|alle rechte vorbehalten|tous droits r[ée]serv[ée]s|todos los derechos reservados|todos os direitos reservados)\b\.?|版权所有[,，。 ]*(?:保留所有权利|翻印必究)|保留所有权利|保留一切权利|無断転載禁止/gi;
const ADDRESSES =
  /<[^<>\s]{1,80}@[^<>\s]{1,80}>|[\w.+-]{1,64}@[\w.-]{1,80}|<?\bhttps?:\/\/[^\s<>()]{1,150}>?/gi;
/** Where the names are, in place of them. */
const REFERENCES =
  /[(,]?\s*(?:and other contributors )?(?:(?:as )?(?:listed|noted|mentioned|named) in|see|refer to)(?: the)?(?: file)? (?:authors|contributors|credits|maintainers|git history|commit history|copyright)(?:\.(?:md|txt|rst))?(?: files?)?(?: for (?:details|a (?:full )?list|the full list))?\)?/gi;
/** Another notice on the same line, or what comes behind `All rights reserved`. */
const STATEMENT_END =
  /\||;|(?<!\b(?:\p{L}|Inc|Ltd|Co|Corp|Dr|Dept|Jr|Prof|Sr|St|Univ))\.\s+(?=\p{Lu}|\p{Lo}|\p{N})|(?<=\w[.,]?\s+)(?<!\b(?:portions?|parts?)\s+)(?=(?:copyright\s*(?:\(c\)|©|\d)|\(c\)\s*\d{4}|©))/giu;

/** Whose name goes on with a word that is otherwise one of terms. */
const INSTITUTES =
  /\b(academy|association|cent(?:er|re)|consortium|council|foundation|institute?|lab|laboratory|ministry|school|society)\s+(?:for|in)\s+(?=\p{Lu})/giu;

/** `the authors of acme/tiny-1b`: as the holders are named if no one else is. */
const REPOSITORY = /\bthe authors of ([\w.-]{1,96}\/[\w.-]{1,96})/gi;

function hasCondition(address: string): boolean {
  return (address.toLowerCase().match(/\p{L}+/gu) ?? []).some(
    word => isConditionWord(word) || /licen|term|eula|legal/.test(word),
  );
}

function isHarmlessAddress(address: string): boolean {
  return address.includes('@') || isKnownAddress(address) || !hasCondition(address);
}

const OPENING =
  /^\W*(?:(?:portions?|parts?)(?: of (?:this|the) (?:software|file|code))?\s+)?(?:(?:copyright|copyleft|copr)\b|©|\(c\)|\(℗\)|版权所有|版權所有|著作权|著作權)/iu;
/** `copyright holder`: the sentence is about copyright, and not a notice of it. */
const MID_SENTENCE =
  /^\W*copyrights?\s+(?:notices?|laws?|acts?|interests?|statements?|rights?|protection|patents?|licen[cs]es?|infringement|and|or|in|to|of|for|is|are|as|,)\b|^\W*copyright (?:holders?|owners?)(?! *[:>\]])/i;
const YEARS_FIRST = /^\W*(?:(?:19|20)\d\d\b|<year>|\[year\]|<yyyy>)/i;

const MAX_HOLDER_WORDS = 40;
const MAX_CASELESS_WORDS = 4;
const MAX_SMALL_WORDS = 2;

function isHolder(part: string, follows: boolean): boolean {
  if (MID_SENTENCE.test(part)) return false;
  if (!OPENING.test(part) && !(follows && YEARS_FIRST.test(part))) return false;
  const holder = part.replace(OPENING, ' ').replace(YEARS, ' ');
  // What follows a dash or a colon says something else.
  if (/[\p{L}\p{N}][^\p{L}\p{N}]*(?::|\s[-–—]+)\s+[\p{L}\p{N}]/u.test(holder)) return false;
  const words = (holder.match(WORDS) ?? []).filter(word => !YEAR_WORDS.test(word));
  if (words.length > MAX_HOLDER_WORDS) return false;
  if (words.filter(word => !/\p{Ll}|\p{Lu}|\p{N}/u.test(word)).length > MAX_CASELESS_WORDS) return false;
  if (words.every(isNameWord)) return true;
  const own = words.filter(word => !isConnective(word));
  return own.length <= MAX_SMALL_WORDS && own.every(isSmallName);
}

const WORDS = /[\p{L}\p{M}\p{N}\ufffd\ue000-\uf8ff\u{1f100}-\u{1f1ff}]+(?:['’`][\p{L}]+)*/gu;
const YEARS = /\b(?:19|20)\d\d(?:\s*[-–—,]\s*(?:(?:19|20)?\d\d\b|present\b|now\b))*/gi;
const YEAR_WORDS = /^(?:(?:19|20)\d\d|\d{2}|c|by|copyright|year|yyyy|xxxx)$/i;
