import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import fc from 'fast-check';
import { bent, bentJson } from '../bent.ts';
import { OID, parser } from './table.ts';

// What the program in a slim image reads before vLLM starts: its own list, what others have left in a volume, names and flags.

const SCRIPT = path.join(import.meta.dirname, '../bootstrap.py');
const BOOTSTRAP = path.join(import.meta.dirname, '../../../src/runtime/bootstrap');

/** A Python that answers a line for each line, for as long as this process lives. */
class Answering {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn('python3', ['-I', '-B', SCRIPT, BOOTSTRAP], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#hold(false);
  }

  async ask(name: string, content: Buffer): Promise<string> {
    this.#hold(true);
    this.#child.stdin.write(`${JSON.stringify({ parser: name, content: content.toString('base64') })}\n`);
    const { value, done } = await this.#answers.next();
    this.#hold(false);
    return done ? 'python3 has ended' : JSON.parse(value);
  }

  /** It ends with this process, and keeps it only while an answer is waited for. */
  #hold(isHeld: boolean): void {
    const parts = [this.#child, this.#child.stdin, this.#child.stdout] as unknown as Held[];
    for (const part of parts) isHeld ? part.ref() : part.unref();
  }
}

interface Held {
  ref(): void;
  unref(): void;
}

let answering: Answering | undefined;

function bootstrapParser(name: string, content: fc.Arbitrary<Buffer>): void {
  parser(
    `bootstrap: ${name}`,
    fc.asyncProperty(content, async bytes => {
      answering ??= new Answering();
      assert.match(await answering.ask(name, bytes), /^(?:read|refused)$/);
    }),
  );
}

const file = { path: 'a', size: 1, sha256: '0a'.repeat(32) };
const image = {
  ...{
    schemaVersion: 1,
    id: 'acme/x',
    revision: OID,
    dir: '/models/x',
    command: ['vllm', 'serve'],
    serveArgs: [],
  },
  ...{ files: [file, { path: 'b/c', size: 2, gitOid: OID }], maxLoraRank: 16 },
  adapters: [{ name: 'sql', id: 'acme/sql', revision: OID, files: [file] }],
};
bootstrapParser('image', bentJson(image));
const entry = { size: 1, mtimeNs: 5, hash: `sha256:${'0a'.repeat(32)}`, ours: true };
const marker = {
  schemaVersion: 1,
  id: 'acme/x',
  revision: OID,
  files: { a: entry, 'b/../c': entry, '\ud800': entry, 'a\u0000b': entry },
};
bootstrapParser('marker', bentJson(marker, { ...marker, files: { a: entry } }));
bootstrapParser(
  'flags',
  bentLines(
    '--lora-modules\nsql=/a\n{"name":"x","path":"/b"}\n--load-format=auto\n-qgguf',
    '--max-lora-rank\n8\n--load_format\ngguf\n--enable-lora',
  ),
);
bootstrapParser(
  'names',
  bentLines(
    'model-00001-of-00002.safetensors\nmodel-00002-of-00002.safetensors\nmodel.safetensors.index.json',
    'a/pytorch_model.bin\nx.gguf\ncheckpoint-5/model.fp16.safetensors\nadapter_model.bin\noriginal/x.pth',
  ),
);

function bentLines(...samples: readonly string[]): fc.Arbitrary<Buffer> {
  return bent(...samples).map(text => Buffer.from(text));
}
