import { crc32, deflateSync } from 'node:zlib';
import { GENERATION_CONFIG, TINY_QWEN2, tensorGroups } from './sample/qwen2.ts';
import { safetensorsFile, safetensorsHead, seededRandom, sizeOf } from './sample/safetensors.ts';
import { tokenizerConfig, tokenizerJson } from './sample/tokenizer.ts';
import type { GeneratedBytes } from './server/generated-content.ts';

/** What the sample model is like. */
export interface SampleModelOptions {
  /** Other seeds give other weights. Default 1. */
  readonly seed?: number;
  /** `license` of the model card. Default apache-2.0; the LICENSE file is there for that one only. */
  readonly license?: string;
}

/** Returns the sample model as a map from path to content, for `hub.addModel`. */
export async function sampleModelFiles(
  options: SampleModelOptions = {},
): Promise<Record<string, Buffer | string>> {
  const { seed = 1, license = 'apache-2.0' } = options;
  return {
    '.gitattributes': GIT_ATTRIBUTES,
    'README.md': modelCard(license),
    ...(license === 'apache-2.0' ? { LICENSE: await apacheLicense() } : {}),
    'config.json': json(TINY_QWEN2),
    'generation_config.json': json(GENERATION_CONFIG),
    'tokenizer.json': json(tokenizerJson()),
    'tokenizer_config.json': json(tokenizerConfig()),
    ...weightFiles(seed),
    // What an image of the model has no use for.
    'pytorch_model.bin': randomBytes(65_536, seed + 1000),
    'assets/picture.png': tinyPng(),
  };
}

/**
 * Returns a safetensors file of `sizeBytes` with one large tensor or so many of one size, made up as it is served: for
 * benchmarks. The size has to be even; the tensors fill what the header leaves. Throws RangeError.
 */
export function generatedSafetensors(sizeBytes: number, seed: number | string, tensors = 1): GeneratedBytes {
  // The header's length depends on the numbers in it, and these on the header's length: the padding takes the slack.
  const slackBytes = 256 * tensors;
  const count = Math.floor((sizeBytes - slackBytes) / 2 / tensors);
  const names = Array.from({ length: tensors }, (_, index) => (tensors === 1 ? 'weight' : `weight.${index}`));
  const { head } = safetensorsHead(names.map(name => ({ name, shape: [count] })));
  const missing = sizeBytes - tensors * sizeOf([count]) - head.length;
  if (missing < 0) throw new RangeError(`${sizeBytes} bytes are too few for a safetensors file`);
  const padded = Buffer.concat([head, Buffer.alloc(missing, ' ')]);
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  return { sizeBytes, seed, head: padded };
}

function weightFiles(seed: number): Record<string, Buffer | string> {
  const groups = tensorGroups();
  const nameOf = (index: number) => `model-${number(index + 1)}-of-${number(groups.length)}.safetensors`;
  const random = seededRandom(seed);
  const shards = groups.map((tensors, index) => [nameOf(index), safetensorsFile(tensors, random)] as const);
  const index = {
    metadata: { total_size: groups.flat().reduce((sum, { shape }) => sum + sizeOf(shape), 0) },
    weight_map: Object.fromEntries(
      groups.flatMap((tensors, group) => tensors.map(({ name }) => [name, nameOf(group)])),
    ),
  };
  return { ...Object.fromEntries(shards), 'model.safetensors.index.json': json(index) };
}

function modelCard(license: string): string {
  return `---
license: ${license}
language:
- en
library_name: transformers
pipeline_tag: text-generation
tags:
- qwen2
- weighbridge-sample
---

# Sample model

A model of the Qwen2 architecture with random weights. It is well-formed and knows nothing: it is there to be
packed, published and looked at.
`;
}

async function apacheLicense(): Promise<string> {
  const file = await import('spdx-license-list/licenses/Apache-2.0.json', { with: { type: 'json' } });
  return file.default.licenseText;
}

const GIT_ATTRIBUTES = ['bin', 'gguf', 'h5', 'msgpack', 'onnx', 'png', 'pt', 'pth', 'safetensors']
  .map(extension => `*.${extension} filter=lfs diff=lfs merge=lfs -text\n`)
  .join('');

/** One grey dot. */
function tinyPng(): Buffer {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.from([0, 128]))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

function randomBytes(count: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function number(value: number): string {
  return String(value).padStart(5, '0');
}
