/**
 * Words by which a sentence forbids or limits what may be done with a work, in the languages that model cards are
 * written in. They are searched in sentences as `sentences` returns them: lower case, hyphens as spaces. None of the
 * expressions has a repetition inside a repetition, and sentences have a bounded length.
 */
export const RESTRICTING: readonly RegExp[] = [
  // Who may use it, and for what.
  /\bnon ?commercial(?:ly)?\b/,
  /\b(?:not|no|never|prohibit\w*|forbid\w*|exclud\w*|cannot|can't) (?:\S+ ){0,6}?commercial(?:ly)?\b/,
  /\bcommercial(?:ly)?(?: \S+){0,5} (?:not|prohibited|forbidden|restricted|excluded|disallowed|requires?|needs?|must|only|subject)\b/,
  /\bcommercial(?:ly)? (?:\S+ ){0,4}?(?:contact|reach out|get in touch|apply|application|register|request|obtain|purchase|buy|e?mail|licen[cs]\w+|agreement|inquir\w+)/,
  /\b(?:contact|apply|application|register|registration|request|obtain|purchase|buy|e?mail|fill|filling|questionnaire|approval)\b(?: \S+){0,12} commercial\b/,
  /\b(?:research|academic|education\w*|evaluation|personal|private|internal|scientific|study|testing|demonstration|production)(?: \S+){0,4} only\b/,
  /\b(?:only|solely|exclusively|strictly|purely|limited|restricted)(?: \S+){0,6} (?:research\w*|academi\w+|education\w*|evaluation|personal|private|internal|scientific|study|non)\b/,
  /\bfor (?:\S+ ){0,3}?(?:research|academic|educational|evaluation|personal|scientific|study)(?: \S+){0,3} (?:use|usage|purposes?)\b/,
  // Passing it on, and changing it.
  /\b(?:may|must|shall|can|do|does|will|are|is) ?n[o']?t (?:\S+ ){0,6}?(?:re ?)?(?:distribut\w*|host\w*|publish\w*|shar(?:e|ed|ing)|upload\w*|mirror\w*|sub ?licen[cs]\w*|transfer\w*|sell|sold|cop(?:y|ied)|modif\w+|reverse|used?|using|permit\w*|allow\w*|grant\w*)\b/,
  /\bcannot (?:\S+ ){0,6}?(?:re ?)?(?:distribut\w*|host\w*|publish\w*|shar(?:e|ed|ing)|upload\w*|sub ?licen[cs]\w*|sell|sold|modif\w+|used?)\b/,
  /\bno (?:\S+ ){0,3}?(?:re ?)?(?:distribution|hosting|sharing|use|usage|derivatives?|modifications?|military|resale)\b/,
  /\bnot (?:to )?(?:\S+ ){0,3}?(?:re ?)?(?:distribute|host|publish|share|upload|sell|use|allow)\b/,
  /\b(?:prohibit(?:ed|s|ion)?|forbidden|forbids?|disallowed|unauthori[sz]ed)\b/,
  // Permission that somebody has to give first.
  /\b(?:written|explicit|express|separate|prior|additional) (?:\S+ ){0,2}?(?:consent|permission|authori[sz]ation|agreement|approval|licen[cs]e)\b/,
  /\b(?:apply|applying|application|register|registration|request|fill|sign|purchase|buy)\b(?: \S+){0,8} (?:licen[cs]e|authori[sz]ation|permission|access|form|consent|agreement)\b/,
  /\bobtain (?!a copy)(?:\S+ ){0,6}?(?:licen[cs]e|authori[sz]ation|permission|consent)\b/,
  /\b(?:accept|agree to)(?: \S+){0,8} (?:terms|licen[cs]e|agreement|policy|conditions)\b/,
  /\b(?:can|may|will|could) be revoked\b|\bterminat\w*(?: \S+){0,10} commercial/,
  /\b(?:revocable|non transferable|terminat\w+ (?:this|your|the) (?:\S+ )?(?:licen[cs]e|rights?))\b/,
  // Where, by how many, and with what on display.
  /\b(?:exclud\w+|except|outside|unavailable|not (?:\S+ ){0,4}?(?:available|granted|offered|licensed|apply|applicable))(?: \S+){0,8} (?:european union|eu|united states|usa|china|korea|united kingdom|residents?|territory)\b/,
  /\b(?:more|greater|over|exceed\w*|above)\b(?: \S+){0,10} (?:monthly active|active users|users|revenue|employees|usd|dollars)\b/,
  /\bprominently display\b|\bbuilt with (?:meta )?llama\b(?![ .]?(?:cpp|factory|file|index|board|hub))/,
  /\b(?:free|open|available)(?: \S+){0,3} for (?:\S+ ){0,3}?(?:academic|research\w*|educational|personal|non)\b/,
  /\b(?:not|no|never)\b(?: \S+){0,20} (?:military|weapons?|warfare|surveillance|espionage|evil)\b/,
  /\bnot (?:\S+ ){0,8}?(?:improve|train|develop|distill?)(?: \S+){0,6} models?\b/,
  /\buse (?:restrictions?|based restrictions)\b/,
];

/** `non-commercial`, in the languages that model cards are written in: nothing but terms says so. */
export const NON_COMMERCIAL =
  /\bnon ?commercial|非商[业業用]|非[营営]利|(?:禁止|不可|不得|严禁|嚴禁)(?:用于|用於)?商[业業用]|商用(?:禁止|不可)|비상업|nicht ?kommerziell|no comercial|não comercia|non commercia(?:le|ux|li)|некоммерч|некомерц|niet commerci|niekomercyjn|nekomerčn|necomercial|ick?e ?kommersiell|ikke ?kommersiel|ei kaupalli|epäkaupalli|nem kereskedelmi|μη εμπορικ|ticari olmayan|phi thương mại|non komersial|غير ?تجاري|غیر ?تجاری|לא מסחרי/u;

/** Licenses that are not permissive, by the names that people call them. */
export const RESTRICTING_NAMES: readonly RegExp[] = [
  /\b(?:educational )?community licen[cs]e\b/,
  /\b(?:subject to|under|see|governed by|follow|comply with)(?: \S+){0,3} model licen[cs]e\b(?: \S+){0,3}/,
  /社[区區]\S{0,2}(?:[许許]可|[协協][议議])/u,
  /\bhealth ai developer foundations\b/,
  /\bgemma(?! ?4 ?license\b)(?: \S+){0,3} (?:terms|licen[cs]e|policy)\b|\bai\.google\.dev\/gemma\b(?!\/docs\/gemma ?4 ?license)/,
  /\b(?:code ?)?llama ?[\d.]*(?: \S+){0,3} licen[cs]e\b|\bllama\.com\/|\bai\.meta\.com\/(?:llama|resources)\b/,
  /\b(?:open ?)?rail(?:\+\+)?(?: ?m)?\b|\bresponsible ai licen[cs]e\b/,
  /\bcc ?by ?(?:nc|nd|sa)\b|\bby nc\b|\blicenses\/by (?:nc|nd|sa)\b/,
  /\bcreative commons(?: \S+){0,4} (?:non ?commercial|no ?deriv\w+|share ?alike)\b/,
  /\b(?:acceptable|prohibited) use polic(?:y|ies)\b/,
  /\b(?:research|non ?production|evaluation|custom|proprietary|modified mit|open model|sample code) (?:only )?licen[cs]e\b/,
  /\b(?:deepseek|qwen[\d.]*|tongyi|qianwen|baichuan\w*|chatglm\w*|glm|internlm\w*|falcon\w*|tii|exaone|nvidia|stability ai|mistral ai|mrl|mnpl|yi|hunyuan|minimax|jamba|grok|dbrx|databricks|lfm|apple|flux\S*|hyperclova\w*|bilibili|chameleon|playground|cohere|orion|xverse|aquila|telechat|skywork|kimi|bigcode|bigscience|bloom|opt|galactica|vicuna)(?: \S+){0,4} (?:licen[cs]e|terms)(?: agreement)?\b/,
];

/** What makes a name of the last kind harmless: `the Qwen Apache 2.0 license`. */
export const PERMISSIVE_NAME = /\b(?:educational community|apache|(?<!modified )mit|bsd|isc|cc0|openmdw)\b/;

/** Sentences of permissive licenses, and of permission, that have the words of a restriction. */
export const NOT_RESTRICTING: readonly RegExp[] = [
  /\bcommercial(?:ly)? ?\/ ?non ?commercial|\bcommercial(?:ly)?(?: \S+){0,3} (?:and|or|as well as|&) non ?commercial|\bnon ?commercial(?:ly)?(?: \S+){0,3} (?:and|or|as well as|&) commercial/,
  /\b(?:academic|research\w*|personal|education\w*)(?: \S+){0,3} (?:and|or|as well as|&) commercial/,
  /\bcommercial(?: \S+){0,3} (?:and|or|as well as|&) (?:academic|research|personal|education\w*)/,
  /\b(?:not|without) (?:restrict\w*|limit\w*)(?: \S+){0,6} commercial/,
  /\blicen[cs]e (?:permits|allows) commercial (?:use|usage) subject to its terms(?: and conditions)?$/,
  /\bendorse or promote\b|\bto endorse\b/,
  /\bexcept in compliance with the licen[cs]e\b|\bexcept as (?:expressly )?(?:provided|permitted|stated|required)\b/,
  /\bunless required by applicable law\b/,
  // Apache-2.0, GPL-2.0
  /\b(?:do not|construed as|supersede or) modify(?:ing)? the (?:terms|license)\b/,
  /\bnon ?commercial distribution and only if you received\b|\balternative is allowed only occasionally and noncommercially\b/,
  /\bpermission(?: \S+){0,12} without (?:a )?(?:fee|written agreement)\b/,
];

/** Of other languages; each is as far as the words themselves are. */
export const RESTRICTING_ELSEWHERE: readonly RegExp[] = [
  // English, whatever else a sentence permits
  /\bcommercial(?: \S+){0,4} (?:via|after|upon|through|with permission)(?: \S+){0,4} (?:applications?|registration|approval|questionnaire)\b|\bcommercial (?:use|usage) is (?:strictly )?(?:prohibited|forbidden|not (?:allowed|permitted))\b/,
  // Chinese, Japanese
  /非商[业業用]|非[営营]利|禁止|不得|[不勿]可?(?:用于|用於|商用|再配布)|[仅僅](?:供|限|用于|用於|可)|只(?:供|限|能|可)|商用(?:需|须|須|请|請|授|利用(?:は|に|を|不))|商[业業](?:用途|使用|应用)?(?:需|须|須|请|請|必|应|應)|(?:需|须|須|请|請|必[须須])\S{0,12}(?:申请|申請|授[权權]|[许許]可|同意)|未[经經]\S{0,12}(?:[许許]可|授[权權]|同意)|(?:学[术術]|學術)研究|研究(?:用途|目的)|に限|のみ|許諾|再配布|できません|してはな/u,
  // Korean
  /비상업|비영리|금지|상업적|연구\s?(?:목적|용)|만\s?(?:사용|허용|이용)|불가|재배포|할\s?수\s?없/u,
  // German, Dutch, Scandinavian
  /nicht ?kommerziell|kommerziell\S* (?:nutzung|verwendung|zweck|einsatz)|untersagt|verboten|nur (?:f[uü]r|zu)|ausschlie(?:ß|ss)lich|forschungszweck|nicht (?:\S+ )?(?:weiter|verbreite|verwende|genutzt)|(?:zustimmung|genehmigung|erlaubnis) (?:des|der|von|durch)|niet commerci|uitsluitend|alleen voor|ick?e ?kommersiell|ikke ?kommersiel|endast|bedarf (?:\S+ ){0,3}(?:zustimmung|genehmigung|erlaubnis)|nur (?:mit|nach) (?:\S+ ){0,3}(?:zustimmung|genehmigung|erlaubnis)|kun (?:\S+ )?(?:til|for)|vain (?:\S+ )?(?:tutkimu|ei)|tutkimuskäyttöön|förbjud|csak (?:\S+ )?(?:kutat|nem)|kizárólag/u,
  // French, Italian, Spanish, Portuguese, Romanian
  /non commercia(?:le|ux|li)|usage commercia|interdi[tes]|uniquement|exclusivement|fins de recherche|sans (?:\S+ )?autorisation|ne (?:peu(?:t|vent)|doi(?:t|vent)) (?:pas|être)|vietat|proibi|esclusivamente|soltanto|solo per|scopi di ricerca|no comercial|uso (?:no )?comercia|prohib[ií]|únicamente|exclusivamente|s[oó]lo (?:para|se)|fines de investigaci|sin (?:\S+ )?autorizaci|no (?:se )?(?:puede|permite|podrá)|não comercia|somente|apenas (?:para|com)|fins de pesquisa|exclusiv[oa]s? (?:para|de|per|a)|necomercial|doar (?:pentru|în)|numai (?:pentru|în)/u,
  // Slavic
  /некоммерч|запрещ|исключительно|только (?:для|в)|коммерческ\S* (?:использ|цел)|без (?:\S+ )?разрешени|некомерц|заборон|лише для|niekomercyjn|zabron|wyłącznie|tylko (?:do|dla)|nekomerčn|zakázán|pouze pro/u,
  // Turkish, Vietnamese, Indonesian, Thai, Hindi, Arabic, Persian, Hebrew, Greek
  /ticari olmayan|yasak|yalnızca|sadece|phi thương mại|(?:^|\s)cấm|chỉ (?:được|dành)|non komersial|dilarang|hanya untuk|ห้าม|เพื่อการวิจัย|गैर ?वाणिज्यिक|निषिद्ध|केवल|غير ?تجاري|يحظر|ممنوع|فقط|غیر ?تجاری|ممنوع|לא מסחרי|אסור|בלבד|μόνο|μη εμπορικ|απαγορε/u,
];
