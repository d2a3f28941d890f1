import type { ModelConfig } from '../../config/types.ts';
import { flagValue, hasFlag } from '../../core/serve-flags.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { adapterArgs, withModules } from './adapter-args.ts';

/** vLLM's own default, for `serve_args` that name no port. */
const DEFAULT_PORT = 8000;

/** Returns `serve_args` with the name that clients ask for, unless the file sets one, and with what serves adapters. */
export function serveArgsOf(planned: Pick<PlannedModel, 'model' | 'adapters'>): string[] {
  const { model } = planned;
  const hasName = hasFlag(model.serveArgs, '--served-model-name');
  return [...(hasName ? [] : ['--served-model-name', model.id]), ...ownServeArgs(planned)];
}

/** Returns `serve_args` with what serves adapters: for others who start the server, with names of their own. */
export function ownServeArgs(planned: Pick<PlannedModel, 'model' | 'adapters'>): string[] {
  const { serveArgs } = planned.model;
  return [...adapterArgs(planned), ...withModules(serveArgs, planned)];
}

/** Returns the port that vLLM listens on by its arguments; its default if they name none, or what cannot be one. */
export function servePort(model: Pick<ModelConfig, 'serveArgs'>): number {
  const text = flagValue(model.serveArgs, '--port', '-p');
  const port = Number(text ?? DEFAULT_PORT);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : DEFAULT_PORT;
}
