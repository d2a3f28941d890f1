// A Hub and a registry for tests, with the quirks and faults of real ones.
export { type Authority, createAuthority, type KeyPair } from './authority.ts';
export { buildBaseImage } from './base-image.ts';
export {
  EmbeddedGithubPackages,
  type GithubPackagesOptions,
  startGithubPackages,
} from './github-packages.ts';
export { type EmbeddedHub, type HubOptions, startHub } from './hub.ts';
export { pushImage } from './push-image.ts';
export type { RegistryQuirks } from './registry/quirks.ts';
export { EmbeddedRegistry, type RegistryOptions, startRegistry } from './registry.ts';
export { sampleModelFiles } from './sample-model.ts';
export type { ServerTls } from './server/embedded-server.ts';
export type { AddedFault, FaultKind, FaultRule } from './server/faults.ts';
