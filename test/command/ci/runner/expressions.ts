import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What expressions may look at: `github`, `inputs`, `needs`, … as plain values. */
export type Contexts = Readonly<Record<string, unknown>>;

/** Functions of the runner itself, by name in lower case. */
export type Functions = Readonly<Record<string, (...args: string[]) => boolean | string>>;

/** `${{ }}` in a value of a workflow, whatever is in it; a value that is nothing but one expression keeps its type. */
export function evaluateValue(value: unknown, contexts: Contexts, functions: Functions = {}): unknown {
  if (typeof value !== 'string') return value;
  const whole = /^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$/s.exec(value)?.[1];
  if (whole !== undefined) return evaluate(whole, contexts, functions);
  return value.replace(/\$\{\{(.*?)\}\}/gs, (_, text: string) => textOf(evaluate(text, contexts, functions)));
}

/** An `if:`, with or without `${{ }}`; where it asks for no status itself, it holds only after success. */
export function evaluateIf(text: unknown, contexts: Contexts, functions: Functions): boolean {
  const bare = String(text ?? 'success()')
    .trim()
    .replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const asksStatus = /\b(?:success|failure|always|cancelled)\s*\(/.test(bare);
  return isTrue(evaluate(asksStatus ? bare : `success() && (${bare})`, contexts, functions));
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function evaluate(text: string, contexts: Contexts, functions: Functions): unknown {
  const infos = Object.entries(functions).map(([name, work]) => ({
    name,
    minArgs: 0,
    maxArgs: 255,
    call: (...args: data.ExpressionData[]) => toData(work(...args.map(one => one.coerceString()))),
  }));
  const { tokens } = new Lexer(text).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), infos).parse();
  const known = toData(contexts) as data.Dictionary;
  return fromData(new Evaluator(parsed, known, new Map(infos.map(info => [info.name, info]))).evaluate());
}

function isTrue(value: unknown): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}

function toData(value: unknown): data.ExpressionData {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'string') return new data.StringData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const pairs = Object.entries(value as object).map(([key, one]) => ({ key, value: toData(one) }));
  return new data.Dictionary(...pairs);
}

function fromData(value: data.ExpressionData): unknown {
  switch (value.kind) {
    case data.Kind.Null:
      return null;
    case data.Kind.Boolean:
    case data.Kind.Number:
    case data.Kind.String:
      return (value as unknown as { value: unknown }).value;
    case data.Kind.Array:
      return (value as data.Array).values().map(fromData);
    default:
      return Object.fromEntries(
        (value as data.Dictionary).pairs().map(pair => [pair.key, fromData(pair.value)]),
      );
  }
}
