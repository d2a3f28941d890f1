import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { IS_LONG } from '../../support/long.ts';

// Where faults strike, which ones, and what is tried together: the table that the fault matrix runs through.

type Fault = Omit<FaultRule, 'match'>;
type Faults = Readonly<Record<string, Fault>>;

const RETRY_AFTER = { 'retry-after': '0' };
/** What can go wrong with a request and its answer, whatever they are. */
const COMMON: Faults = {
  reset: { kind: 'reset' },
  stall: { kind: 'stall' },
  'lost answer': { kind: 'lose-answer' },
  'status 502': { kind: 'status', status: 502, body: '<html>Bad Gateway</html>' },
  ...(IS_LONG
    ? {
        'status 500': { kind: 'status', status: 500 },
        'status 503': { kind: 'status', status: 503, headers: RETRY_AFTER },
      }
    : {}),
  'status 429': { kind: 'status', status: 429, headers: RETRY_AFTER },
};
/** Where an answer has no body that anyone waits for, silence has to come before it. */
const SILENCE: Faults = {
  ...COMMON,
  reset: { kind: 'lose-answer' },
  stall: { kind: 'slow', delayMs: 1500 },
};
const IN_THE_BODY: Faults = {
  'reset in mid-body': { kind: 'reset', afterBytes: 90 },
  'stall in mid-body': { kind: 'stall', afterBytes: 90 },
  truncation: { kind: 'truncate', afterBytes: 90 },
  'wrong bytes': { kind: 'corrupt', afterBytes: 20 },
};
const WRONG_LENGTH: Faults = { 'wrong length': { kind: 'wrong-length' } };

export interface Place {
  readonly match: RegExp;
  readonly faults: Faults;
}

export const HUB: Readonly<Record<string, Place>> = {
  'the model’s list': {
    match: /^GET hub \/api\/models\/acme\/x\/revision/,
    faults: { ...COMMON, ...IN_THE_BODY, ...WRONG_LENGTH },
  },
  'the link to a weight': {
    match: /^GET hub .*\/resolve\/.*safetensors/,
    faults: { ...COMMON, 'expired link': { kind: 'expire-link' } },
  },
  'a weight': { match: /^GET cdn /, faults: { ...COMMON, ...IN_THE_BODY, ...WRONG_LENGTH } },
  'a small file': {
    match: /^GET hub .*resolve-cache.*config\.json/,
    faults: { ...COMMON, 'wrong bytes': { kind: 'corrupt', afterBytes: 3 }, ...WRONG_LENGTH },
  },
};

export const REGISTRY: Readonly<Record<string, Place>> = {
  'reading a tag': { match: /^GET registry .*\/acme\/hf-x\/manifests\//, faults: SILENCE },
  'listing tags': { match: /^GET registry .*\/tags\/list/, faults: SILENCE },
  'looking for a blob': { match: /^HEAD registry .*\/acme\/hf-x\/blobs\//, faults: SILENCE },
  'starting an upload': { match: /^POST registry .*\/acme\/hf-x\/blobs\/uploads/, faults: COMMON },
  'bringing a blob': { match: /^PATCH registry /, faults: { ...COMMON, ...IN_THE_BODY } },
  'closing an upload': { match: /^PUT registry .*\/blobs\/uploads\//, faults: COMMON },
  'putting a manifest': {
    match: /^PUT registry .*\/manifests\/sha256:/,
    faults: { ...COMMON, ...IN_THE_BODY },
  },
  'setting a tag': { match: /^PUT registry .*\/manifests\/v0/, faults: { ...COMMON, ...IN_THE_BODY } },
  'getting a token': {
    match: /^GET registry \/token/,
    faults: { ...COMMON, truncation: { kind: 'truncate', afterBytes: 30 } },
  },
};

/** For good, at the Hub: the weights cannot be had, and so no fat image. */
const HUB_FOR_GOOD: readonly Strike[] = [
  { name: 'resets every weight', place: 'a weight', rule: { match: /^GET cdn /, kind: 'reset' } },
  { name: 'stalls every weight', place: 'a weight', rule: { match: /^GET cdn /, kind: 'stall' } },
  {
    name: 'gives links that have expired',
    place: 'the link to a weight',
    rule: { match: /\/resolve\/.*safetensors/, kind: 'expire-link' },
  },
  {
    name: 'gives wrong bytes',
    place: 'a weight',
    rule: { match: /^GET cdn /, kind: 'corrupt', afterBytes: 20 },
  },
  { name: 'cuts every weight short', place: 'a weight', rule: { match: /^GET cdn /, kind: 'wrong-length' } },
  {
    name: 'answers 500 for weights',
    place: 'a weight',
    rule: { match: /^GET cdn /, kind: 'status', status: 500 },
  },
];

const TARGET_FOR_GOOD: Faults = {
  'resets the connection': { kind: 'lose-answer' },
  'falls silent': { kind: 'slow', delayMs: 1500 },
  'answers 500': { kind: 'status', status: 500 },
  'answers 429': { kind: 'status', status: 429, headers: RETRY_AFTER },
};

/** One fault at one kind of request. */
export interface Strike {
  readonly name: string;
  readonly place: string;
  readonly rule: FaultRule;
}

/** What strikes in one test: the Hub, targets (by number), or all of them at once. */
export interface FaultCase {
  readonly name: string;
  readonly hub?: Strike;
  readonly target?: Strike;
  readonly targets: readonly number[];
}

const ONE = [1];
const BOTH = [0, 1];
const hubStrikes = Object.entries(HUB).map(strikesAt);
const targetStrikes = Object.entries(REGISTRY).map(strikesAt);
const targetForGood = Object.entries(REGISTRY).map(([place, { match }]) =>
  strikesAt([
    place,
    {
      match,
      faults:
        place === 'bringing a blob'
          ? { ...TARGET_FOR_GOOD, 'resets the connection': { kind: 'reset' } }
          : TARGET_FOR_GOOD,
    },
  ]),
);

/** Each fault alone; then every kind of request to the Hub with every one to a target, their faults taken in turn. */
export const ONCE: readonly FaultCase[] = [
  ...hubStrikes.flat().map(hub => faultCase({ hub, targets: [] })),
  ...(IS_LONG ? [ONE, BOTH] : [BOTH]).flatMap(targets =>
    targetStrikes.flat().map(target => faultCase({ target, targets })),
  ),
  ...everyNth(
    IS_LONG ? 1 : 7,
    hubStrikes.flatMap((ofHub, i) =>
      targetStrikes.flatMap((ofTarget, j) =>
        [ONE, BOTH].map((targets, k) =>
          faultCase({
            hub: inTurn(ofHub, j * 2 + k),
            target: inTurn(ofTarget, i * 2 + k),
            targets,
          }),
        ),
      ),
    ),
  ),
];

export const FOR_GOOD: readonly FaultCase[] = [
  ...HUB_FOR_GOOD.map(hub => faultCase({ hub, targets: [] })),
  ...targetForGood.flat().map(target => faultCase({ target, targets: ONE })),
  ...everyNth(IS_LONG ? 1 : 5, targetForGood.flat()).map(target => faultCase({ target, targets: BOTH })),
  ...everyNth(
    IS_LONG ? 1 : 4,
    targetForGood.flatMap((ofTarget, i) =>
      [ONE, BOTH].map((targets, k) =>
        faultCase({ hub: inTurn(HUB_FOR_GOOD, i + k), target: inTurn(ofTarget, i + 2 * k), targets }),
      ),
    ),
  ),
];

function strikesAt([place, { match, faults }]: readonly [string, Place]): Strike[] {
  return Object.entries(faults).map(([name, fault]) => ({ name, place, rule: { match, ...fault } }));
}

function faultCase(parts: Omit<FaultCase, 'name'>): FaultCase {
  const { hub, target, targets } = parts;
  const where = targets.length === 1 ? 'one target of two' : 'both targets';
  const names = [
    ...(hub === undefined ? [] : [`the Hub, ${hub.place}: ${hub.name}`]),
    ...(target === undefined ? [] : [`${where}, ${target.place}: ${target.name}`]),
  ];
  return { name: names.join('; and '), ...parts };
}

function inTurn(strikes: readonly Strike[], index: number): Strike {
  return strikes[index % strikes.length] as Strike;
}

function everyNth<T>(n: number, items: readonly T[]): readonly T[] {
  return items.filter((_, index) => index % n === 0);
}
