/** A LoRA adapter as PEFT writes it, of two projections in each layer. */
export interface LoraShape {
  readonly base: string;
  readonly hidden: number;
  readonly layers: number;
  readonly rank?: number;
  /** Values of `lora_B`; zeros change nothing. */
  readonly fill?: (index: number) => number;
  /** Further keys of adapter_config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Out of `v_proj`, if that is not the hidden size. */
  readonly valueSize?: number;
}

/** Returns the files of an adapter: its configuration, its weights and a card. */
export function loraFiles(shape: LoraShape): Record<string, string | Buffer> {
  const { base, rank = 8, config = {} } = shape;
  return {
    'README.md': `---\nlicense: mit\nbase_model: ${base}\n---\n# An adapter\n`,
    'adapter_config.json': JSON.stringify({
      base_model_name_or_path: base,
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      r: rank,
      lora_alpha: rank,
      bias: 'none',
      target_modules: ['q_proj', 'v_proj'],
      ...config,
    }),
    'adapter_model.safetensors': loraWeights(shape),
    'optimizer.pt': Buffer.alloc(1000),
  };
}

function loraWeights({ hidden, layers, rank = 8, fill = () => 0, valueSize = hidden }: LoraShape): Buffer {
  const tensors = Array.from({ length: layers }, (_, layer) =>
    [
      { module: 'q_proj', out: hidden },
      { module: 'v_proj', out: valueSize },
    ].flatMap(({ module, out }) => {
      const name = `base_model.model.model.layers.${layer}.self_attn.${module}`;
      return [
        { name: `${name}.lora_A.weight`, shape: [rank, hidden], value: (index: number) => fill(index + 7) },
        { name: `${name}.lora_B.weight`, shape: [out, rank], value: fill },
      ];
    }),
  ).flat();
  return safetensors(tensors);
}

interface Values {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: (index: number) => number;
}

/** A safetensors file of 32-bit floats; https://huggingface.co/docs/safetensors#format */
function safetensors(tensors: readonly Values[]): Buffer {
  let position = 0;
  const described = tensors.map(({ name, shape }) => {
    const start = position;
    position += 4 * shape.reduce((product, length) => product * length, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [start, position] }];
  });
  const json = JSON.stringify(Object.fromEntries(described));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = tensors.map(({ shape, value }) => {
    const count = shape.reduce((product, one) => product * one, 1);
    return Buffer.from(Float32Array.from({ length: count }, (_, index) => value(index)).buffer);
  });
  return Buffer.concat([length, header, ...data]);
}
