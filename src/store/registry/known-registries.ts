import type { KnownCapabilities } from './upload/registry-capabilities.ts';

/** What is known of a registry from its documentation, or from those who have met it. */
export interface KnownRegistry {
  readonly capabilities: KnownCapabilities;
  /** The most bytes that a blob may have. */
  readonly maxLayerBytes?: number;
}

const NOTHING: KnownRegistry = { capabilities: {} };

// Only what would cost something to find out each time; everything else is learnt from a registry's own answers.
const KNOWN: readonly (readonly [RegExp, KnownRegistry])[] = [
  [
    /^ghcr\.io$/,
    {
      // https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
      maxLayerBytes: 10_000_000_000,
      capabilities: { cancels: false, takesLength: false, resumesStreams: false },
    },
  ],
  [
    /^\d+\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)$/,
    // https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html; ranged chunks lose data there.
    { maxLayerBytes: 52_000 * 1024 * 1024, capabilities: { withoutStrategies: ['chunked'] } },
  ],
  // The second PATCH of an upload gets 405.
  [/^([a-z0-9-]+\.)?(gcr\.io|pkg\.dev)$/, { capabilities: { withoutStrategies: ['chunked'] } }],
];

/** Returns what is known of a registry, named as in references: `ghcr.io`. */
export function knownRegistry(registry: string): KnownRegistry {
  return KNOWN.find(([host]) => host.test(registry))?.[1] ?? NOTHING;
}
