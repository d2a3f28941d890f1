import { parsedJson } from '../core/json-shape.ts';
import type { FitContext } from './fit-context.ts';
import { recordOf, textOf } from './json-value.ts';
import { loraModuleOf } from './lora-module.ts';
import type { FitFinding } from './types.ts';

/** Flags whose value may be a repository on the Hub. */
const REPOSITORY_FLAGS = ['--tokenizer', '--hf-config-path', '--speculative-model', '--model-weights'];
/** Flags whose value is JSON in which `model` may be one. */
const JSON_FLAGS = ['--speculative-config'];

/** Returns other repositories that a fat image, which runs offline, cannot bring. */
export function offlineFindings({ input, args }: FitContext): FitFinding[] {
  if (!input.isOffline) return [];
  const named = [
    ...REPOSITORY_FLAGS.flatMap(flag => {
      const [value] = args.given.get(flag)?.values ?? [];
      return value === undefined ? [] : [{ flag, value }];
    }),
    ...JSON_FLAGS.flatMap(flag => {
      const value = textOf(recordOf(parsedJson(args.given.get(flag)?.values[0] ?? '')).model);
      return value === undefined ? [] : [{ flag, value }];
    }),
    ...(args.given.get('--lora-modules')?.values ?? []).flatMap(text => {
      const { path } = loraModuleOf(text);
      return path === '' ? [] : [{ flag: '--lora-modules', value: path }];
    }),
  ];
  return named
    .filter(({ value }) => isRepository(value, input.modelId))
    .map(({ flag, value }) => ({
      rule: 'offline-repository',
      message: `${flag} names ${value}, another repository: the fat image runs without a network and cannot get it.`,
      evidence: `serve_args: ${input.serveArgs.join(' ')}`,
      remedy: 'Name a folder in the image, or publish the slim image alone.',
    }));
}

/** `org/name`, as opposed to a path; drafts that are no models have plain names (`ngram`). */
function isRepository(value: string, own: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(value) && !value.startsWith('.') && value !== own;
}
