import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readPublicKey } from '../../src/attest/signers/key-material.ts';
import { readTrustedIdentity } from '../../src/attest/trusted-identity.ts';
import { readCatalogIn } from '../../src/cli/commands/catalog/catalog-files.ts';
import { lockOfFile } from '../../src/cli/lock-file.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { digestOf } from '../../src/core/digest.ts';
import { LayerAnnotation } from '../../src/image/format/labels.ts';
import { MediaType } from '../../src/oci/types.ts';
import { openLayerIndex } from '../../src/publish/target/layer-index.ts';
import { temporaryFolder } from '../support/tools.ts';

// Local files replaced by something else: a pipe without a writer, an endless device. Reading them has to end; only the
// time limit can show that it does not.

const LAYER = {
  mediaType: MediaType.ociLayerTar,
  digest: digestOf('x'),
  size: 1,
  annotations: { [LayerAnnotation.key]: '0'.repeat(64), [LayerAnnotation.files]: '[]' },
};
const TIME_LIMIT = { timeout: 120_000 };

test('a lock, a catalog and the notes of layers that are named pipes', TIME_LIMIT, async t => {
  const folder = await folderWithPipe(t, 'weighbridge.lock', 'catalog.json', 'layers.jsonl');
  const config = parseConfig('models: [{id: a/b, short: b}]', path.join(folder, 'models.yaml'));
  await assert.rejects(lockOfFile(config), { code: 'CONFIG_UNREADABLE' });
  await assert.rejects(readCatalogIn(folder), { code: 'EPIPEFILE' });
  const index = openLayerIndex(path.join(folder, 'layers.jsonl'));
  assert.equal(await index.find(LAYER.annotations[LayerAnnotation.key]), undefined);
  await index.add(LAYER);
  assert.equal((await index.find(LAYER.annotations[LayerAnnotation.key]))?.digest, LAYER.digest);
});

test('keys and trusted roots without an end', TIME_LIMIT, async () => {
  const place = { reference: '/dev/zero', folder: '.', env: {} };
  await assert.rejects(readPublicKey(place), { code: 'USAGE', message: /is larger than/ });
  const identity = { identity: 'x', issuer: 'y', trustedRoot: '/dev/zero' };
  await assert.rejects(readTrustedIdentity(identity, 'models.yaml'), {
    code: 'USAGE',
    message: /is larger than/,
  });
});

async function folderWithPipe(t: TestContext, ...names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of names) execFileSync('mkfifo', [path.join(folder, name)]);
  return folder;
}
