import { nearest } from '../core/text.ts';
import { type Place, read, within } from './place.ts';
import type { ConfigProblem } from './problems.ts';
import { nameOf, valueAt } from './schema-problems.ts';
import type { Path, YamlSource } from './yaml/yaml-source.ts';

/** Returns the problems of `signing:` and `vex:` that no single field shows. `models`: of all files. */
export function signingChecks(source: YamlSource, models: readonly Place[]): ConfigProblem[] {
  const has = (path: Path): boolean => valueAt(source.value, path) !== undefined;
  const report = (path: Path, message: string): ConfigProblem[] => [
    source.problem(source.locate(path), message),
  ];
  return [
    ...signerProblems(source, has, report),
    ...items(source, ['signing', 'upstream']).flatMap(path => trustProblems(path, has, report)),
    ...items(source, ['vex']).flatMap(path => vexProblems(path, source, has, report)),
    ...unknownModels(source, models),
  ];
}

type Has = (path: Path) => boolean;
type Report = (path: Path, message: string) => ConfigProblem[];

function signerProblems(source: YamlSource, has: Has, report: Report): ConfigProblem[] {
  const mode = valueAt(source.value, ['signing', 'mode']);
  const keyless = valueAt(source.value, ['signing', 'keyless']);
  const isKeyless = keyless !== undefined && keyless !== false;
  const hasKey = has(['signing', 'key']);
  if (hasKey && isKeyless) return report(['signing', 'keyless'], 'write "key" or "keyless", not both');
  if ((mode === 'sign' || mode === 'required') && !hasKey && !isKeyless)
    return report(['signing', 'mode'], `"mode" ${mode} needs "key" or "keyless": what to sign with`);
  if (valueAt(source.value, ['signing', 'github_attestations']) === true && !isKeyless)
    return report(
      ['signing', 'github_attestations'],
      'needs "keyless": GitHub stores only what the identity of a workflow has signed',
    );
  const isFile = valueAt(source.value, ['signing', 'model_signature_file']) === true;
  if (isFile && !(hasKey && (mode === 'sign' || mode === 'required')))
    return report(
      ['signing', 'model_signature_file'],
      'needs "key", and "mode" sign or required: without them images would be others in each run',
    );
  const given = ['identity', 'issuer', 'trusted_root'].filter(name => has(['signing', 'keyless', name]));
  if (given.length > 0 && given.length < 3)
    return report(
      ['signing', 'keyless', given[0] ?? ''],
      'needs all of "identity", "issuer" and "trusted_root": whose signatures count',
    );
  return [];
}

function trustProblems(path: Path, has: Has, report: Report): ConfigProblem[] {
  const isIdentity = has([...path, 'identity']) && has([...path, 'issuer']);
  const isPartly = has([...path, 'identity']) || has([...path, 'issuer']);
  if (has([...path, 'key']) ? !isPartly : isIdentity) return [];
  return report(path, 'needs "key", or both "identity" and "issuer": whose signature is trusted');
}

/** OpenVEX: who is not affected says why, and who is says what to do. */
function vexProblems(path: Path, source: YamlSource, has: Has, report: Report): ConfigProblem[] {
  const status = valueAt(source.value, [...path, 'status']);
  const needs = (...keys: string[]): boolean => !keys.some(key => has([...path, key]));
  if (status === 'not_affected' && needs('justification', 'impact'))
    return report([...path, 'status'], '"status" not_affected needs "justification" or "impact": why');
  if (status === 'affected' && needs('action'))
    return report([...path, 'status'], '"status" affected needs "action": what users should do');
  return [];
}

/** A slip would leave the statement out of every image without a word. */
function unknownModels(source: YamlSource, models: readonly Place[]): ConfigProblem[] {
  const known = models
    .flatMap(model => [read(within(model, 'short')), read(within(model, 'id'))])
    .filter(name => typeof name === 'string');
  return items(source, ['vex'])
    .flatMap(path => items(source, [...path, 'models']))
    .flatMap(path => {
      const name = valueAt(source.value, path);
      if (typeof name !== 'string' || known.includes(name)) return [];
      const message = `${nameOf(path)} must be the short or id of a model, not ${JSON.stringify(name)}`;
      return [source.problem(source.locate(path), message, nearest(name, known))];
    });
}

function items(source: YamlSource, path: Path): Path[] {
  const value = valueAt(source.value, path);
  return Array.isArray(value) ? value.map((_, index) => [...path, index]) : [];
}
