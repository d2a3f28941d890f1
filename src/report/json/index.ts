// The documents that commands print with `--json`. Keys are only ever added; a change of meaning changes `schemaVersion`.
export type { ErrorJson } from '../../core/errors.ts';
export type { InspectJson } from './inspect-json.ts';
export type { LsJson } from './ls-json.ts';
export type { OutdatedJson } from './outdated-json.ts';
export type { PlanJson } from './plan-json.ts';
export type { PruneJson } from './prune-json.ts';
export type { PublishJson } from './publish-json.ts';
export type { ScanJson } from './scan-json.ts';
export type { UpdateJson } from './update-json.ts';
export type { ValidateJson } from './validate-json.ts';
export type { VerifyJson } from './verify-json.ts';
