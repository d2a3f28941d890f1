import { rm } from 'node:fs/promises';
import type { EmbeddedHub } from '../../src/testkit/hub.ts';
import type { Podman } from './podman.ts';
import type { RealRegistry } from './registry.ts';

type Parts = Pick<ContainerWorld, 'hub' | 'registry' | 'podman' | 'folder'>;

/** A Hub, a registry, and containers of the images in it. */
export class ContainerWorld implements AsyncDisposable {
  readonly hub: EmbeddedHub;
  readonly registry: RealRegistry;
  readonly podman: Podman;
  readonly folder: string;

  protected constructor({ hub, registry, podman, folder }: Parts) {
    this.hub = hub;
    this.registry = registry;
    this.podman = podman;
    this.folder = folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.podman[Symbol.asyncDispose]();
    await this.registry.stop();
    await this.hub.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
