import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../core/digest.ts';
import { MediaType } from '../../../oci/types.ts';
import type { ImageStore } from '../../../store/image-store.ts';
import type { Session } from '../../session.ts';
import { readTargets } from './scan-targets.ts';

test('an image that cannot be read is a failure of its own, and the others are looked at', async () => {
  const bytes = Buffer.from('{"schemaVersion":2,"layers":[],"layers":[]}');
  const odd = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
  const asked: string[] = [];
  const openRepository = (name: string) => {
    const getManifest = async () => {
      asked.push(name);
      return name === 'r.example/odd' ? odd : undefined;
    };
    return { name, getManifest } as Partial<ImageStore> as ImageStore;
  };
  const { signal } = new AbortController();
  const session = { services: { openRepository }, signal } as unknown as Session;
  const place = { id: 'acme/x', short: 'x', variant: 'fat', reference: 'v0.6.0-fat' };
  const places = ['r.example/odd', 'r.example/none'].map(repository => ({ ...place, repository }));
  const { targets, failures } = await readTargets(session, places);
  assert.deepEqual(targets, []);
  assert.deepEqual(
    failures.map(({ short, variant, error }) => [short, variant, error.code]),
    [['x', 'fat', 'REGISTRY_BAD_ANSWER']],
  );
  assert.equal(asked.at(-1), 'r.example/none');
});
