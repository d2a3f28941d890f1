// The library. What is not exported here, from `weighbridge/json` or `weighbridge/testkit`, may change at any time.
export { loadConfig, parseConfig } from './config/load-config.ts';
export { InvalidConfigError } from './config/problems.ts';
export type { Config, ModelConfig, Variant } from './config/types.ts';
export type { Digest } from './core/digest.ts';
export {
  ConfigError,
  type ErrorCode,
  HubError,
  IntegrityError,
  InterruptedError,
  NetworkError,
  RegistryError,
  SigningError,
  WeighbridgeError,
} from './core/errors.ts';
export type { OnEvent, ProgressEvent } from './core/events.ts';
export {
  createWeighbridge,
  type PlanChoice,
  type PublishChoice,
  type Weighbridge,
  type WeighbridgeOptions,
} from './engine/weighbridge.ts';
export type { Plan, PlannedModel, UnresolvedModel } from './plan/types.ts';
export type { ImageOutcome, PublishOutcome } from './publish/types.ts';
export type { Credential, FindCredential } from './store/auth/types.ts';
