import type { ModelConfig } from '../../config/types.ts';

/** vLLM's own default, for `serve_args` that name no port. */
const DEFAULT_PORT = 8000;

/** `serve_args` with the name that clients ask for, unless the file sets one. */
export function serveArgsOf(model: ModelConfig): string[] {
  const hasName = optionValue(model.serveArgs, '--served-model-name') !== undefined;
  return [...(hasName ? [] : ['--served-model-name', model.id]), ...model.serveArgs];
}

export function portOf(model: Pick<ModelConfig, 'serveArgs'>): number {
  const text = optionValue(model.serveArgs, '--port') ?? optionValue(model.serveArgs, '-p');
  const port = Number(text ?? DEFAULT_PORT);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : DEFAULT_PORT;
}

/** The value of `--name value` or `--name=value`; the last one counts, as for vLLM. */
function optionValue(args: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  args.forEach((arg, index) => {
    if (arg === name) value = args[index + 1] ?? '';
    else if (arg.startsWith(`${name}=`)) value = arg.slice(name.length + 1);
  });
  return value;
}
