import { nearest } from '../core/text.ts';
import type { FitContext } from './fit-context.ts';
import { flagsOf } from './flag-definition.ts';
import { definitionAt, firstReleaseWith, lastReleaseWith, RELEASES, type Release } from './releases.ts';
import type { ArgumentFault, ServeArguments } from './serve-arguments.ts';
import type { FitFinding } from './types.ts';

/** Returns what the parser of that release refuses in `serve_args`. */
export function argumentFindings({ args, release, input }: FitContext): FitFinding[] {
  return [...args.faults.map(fault => describe(fault, release)), ...modelFlag(args)].map(described => ({
    ...described,
    evidence: `serve_args: ${input.serveArgs.join(' ')}; base image ${input.baseImage}`,
  }));
}

/** The folder of the model is the first argument already: releases pass over this one, or take it and stop at the other. */
function modelFlag({ given }: ServeArguments): Described[] {
  const flag = given.get('--model');
  if (flag === undefined) return [];
  const value = JSON.stringify(flag.values[0] ?? '');
  return [
    {
      rule: 'flag-value',
      message: `--model ${value} cannot choose what is served: the image names the folder of its model itself.`,
      remedy: 'Remove it from serve_args; `id` in models.yaml names the model.',
    },
  ];
}

type Described = Pick<FitFinding, 'rule' | 'message' | 'remedy'>;

function describe(fault: ArgumentFault, release: Release): Described {
  const vllm = `vLLM ${release.version}`;
  switch (fault.kind) {
    case 'unknown':
      return unknownFlag(fault.spelling, release);
    case 'ambiguous':
      return {
        rule: 'flag-unknown',
        message: `${fault.spelling} could be any of ${listed(fault.candidates)}.`,
        remedy: 'Write the whole name.',
      };
    case 'stray':
      return {
        rule: 'flag-value',
        message: `${vllm} does not expect ${JSON.stringify(fault.text)}, which belongs to no flag.`,
      };
    case 'missing-value':
      return { rule: 'flag-value', message: `${fault.spelling} has no value.` };
    case 'needless-value':
      return {
        rule: 'flag-value',
        message: `${fault.spelling} takes no value in ${vllm}; ${JSON.stringify(fault.value)} is one.`,
        remedy: `Write ${fault.spelling} alone.`,
      };
    case 'choice':
      return {
        rule: 'flag-choice',
        message: `${vllm} does not take ${JSON.stringify(fault.value)} for ${fault.spelling}: it is one of ${listed(fault.choices)}.`,
        ...choiceRemedy(fault, release),
      };
    case 'type':
      return {
        rule: 'flag-value',
        message: `${vllm} wants ${fault.wants} for ${fault.spelling}, not ${JSON.stringify(fault.value)}.`,
      };
  }
}

function unknownFlag(spelling: string, release: Release): Described {
  const vllm = `vLLM ${release.version}`;
  const name = nameIn(spelling);
  const removed = name === undefined ? undefined : lastReleaseWith('flags', name, release);
  const first = name === undefined ? undefined : firstReleaseWith('flags', name, release);
  if (removed !== undefined) {
    return {
      rule: 'flag-removed',
      message: `${vllm} no longer has the flag ${spelling}; ${removed.version} was the last that had it.`,
      ...nearestRemedy(spelling, release, 'Remove it'),
    };
  }
  if (first !== undefined) {
    return {
      rule: 'flag-unknown',
      message: `${vllm} does not know the flag ${spelling}; ${first.version} is the first that does.`,
      remedy: `Remove it, or set base_image to vLLM ${first.version} or newer.`,
    };
  }
  return {
    rule: 'flag-unknown',
    message: `${vllm} does not know the flag ${spelling}.`,
    ...nearestRemedy(spelling, release, 'Remove it'),
  };
}

/** The flag's own name, if any release has it under that spelling. */
function nameIn(spelling: string): string | undefined {
  for (const release of RELEASES.toReversed()) {
    const flag = flagsOf(release).get(spelling);
    if (flag !== undefined) return flag.name;
  }
  return undefined;
}

function nearestRemedy(spelling: string, release: Release, otherwise: string): { remedy: string } {
  const near = nearest(spelling, [...flagsOf(release).keys()]);
  return { remedy: near === undefined ? `${otherwise}.` : `Did you mean ${near}?` };
}

function choiceRemedy(
  fault: Extract<ArgumentFault, { kind: 'choice' }>,
  release: Release,
): { remedy?: string } {
  const near = nearest(fault.value, fault.choices);
  if (near !== undefined) return { remedy: `Did you mean ${near}?` };
  const name = nameIn(fault.spelling);
  const newer = RELEASES.find(
    other =>
      other.rank > release.rank &&
      name !== undefined &&
      choicesIn(definitionAt('flags', name, other)).includes(fault.value),
  );
  return newer === undefined ? {} : { remedy: `vLLM ${newer.version} is the first that does.` };
}

function choicesIn(definition = ''): readonly string[] {
  return /(?:^| )=(.*)$/.exec(definition)?.[1]?.split('|') ?? [];
}

const MAX_LISTED = 12;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).join(', ');
  return names.length > MAX_LISTED ? `${shown} and ${names.length - MAX_LISTED} more` : shown;
}
