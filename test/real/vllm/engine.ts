import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { IS_LONG } from '../../support/long.ts';
import { skipFor } from '../../support/tools.ts';

/** As in scripts/install-vllm.sh: today's, and that of about a year before. */
export const NEW = '0.32.0';
export const OLD = '0.12.0';

const CACHE = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');

/** What is mounted into containers as `ENGINE_FOLDER`. */
export const ENGINES = path.join(CACHE, 'weighbridge-tests', 'vllm');

/** The Python that can import what vLLM brings: numpy, safetensors, tokenizers. */
export const PYTHON = '/usr/bin/python3';
export const PYTHON_ENV = { PYTHONPATH: path.join(ENGINES, NEW) };

/** For the `skip` option of a test: false if these versions are installed, else the reason. */
export function requireVllm(...versions: readonly string[]): false | string {
  if (!IS_LONG) return 'the long form has it (WEIGHBRIDGE_LONG=1)';
  const missing = versions.filter(version => !existsSync(path.join(ENGINES, version, '.installed')));
  return missing.length === 0
    ? false
    : skipFor(`vLLM ${missing.join(', ')} not installed (scripts/install-vllm.sh)`);
}

/** What every start has: a small model needs no more, and a machine without a GPU has no more. */
export const SERVE_ARGS = ['--enforce-eager', '--max-model-len', '128'];

/** The answer of a served model, and what it says of itself. */
export interface Answer {
  readonly id: string;
  readonly maxModelLen: number;
  readonly text: string;
}

/** Waits until the server at `url` has loaded the model, and asks it to complete a chat at temperature 0. */
export async function ask(url: string, hasEnded: () => boolean): Promise<Answer> {
  const [model] = await servedModels(url, hasEnded);
  if (model === undefined) throw new Error(`${url} serves nothing`);
  return { ...model, text: await complete(url, model.id) };
}

/** Waits until the server at `url` has loaded what it serves: the model first, then its adapters. */
export async function servedModels(url: string, hasEnded: () => boolean): Promise<Omit<Answer, 'text'>[]> {
  const { data } = await untilServed(`${url}/v1/models`, hasEnded);
  return data.map(entry => {
    const { id, max_model_len: maxModelLen } = entry as { id: string; max_model_len: number };
    return { id, maxModelLen };
  });
}

/** Completes a chat at temperature 0. */
export async function complete(url: string, model: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      temperature: 0,
      max_tokens: 24,
      messages: [{ role: 'user', content: 'Weigh this.' }],
    }),
  });
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  const text = body.choices?.[0]?.message.content;
  if (text === undefined) throw new Error(`no completion from ${url}: ${JSON.stringify(body)}`);
  return text;
}

/** An engine takes most of a minute on two idle cores, and several on busy ones. */
const START_MS = 600_000;

async function untilServed(url: string, hasEnded: () => boolean): Promise<{ data: unknown[] }> {
  const deadline = Date.now() + START_MS;
  while (!hasEnded() && Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return (await response.json()) as { data: unknown[] };
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  throw new Error(`${url} has not answered: the server ${hasEnded() ? 'has ended' : 'took ten minutes'}`);
}
