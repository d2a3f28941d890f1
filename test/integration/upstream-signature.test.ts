import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { keySigner } from '../../src/attest/signers/key-signer.ts';
import { type Statement, statementBytes } from '../../src/attest/statement.ts';
import { modelSignature } from '../../src/attest/statements/model-signature.ts';
import type { ModelFile } from '../../src/attest/types.ts';
import { readUpstream, verifyUpstream } from '../../src/attest/verify-upstream.ts';
import type { UpstreamTrust } from '../../src/config/types.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { MODEL_FILES, World } from '../support/world.ts';

const makers = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const TRUST: UpstreamTrust = {
  models: ['acme/*'],
  signer: { kind: 'key', key: 'env://MAKERS' },
  isRequired: true,
};
const FILES: Readonly<Record<string, string | Buffer>> = MODEL_FILES;

for (const [title, change, message] of [
  [
    'one byte of the weights',
    { 'model-00002-of-00003.safetensors': Buffer.alloc(200_000, 9) },
    /signs another/,
  ],
  ['one byte of a small file', { 'config.json': '{"model_type":"llamb"}' }, /signs another "config.json"/],
  ['one file more', { 'chat_template.jinja': 'x' }, /does not sign "chat_template.jinja"/],
  ['one file less', { LICENSE: undefined }, /signs "LICENSE", which the repository does not have/],
  ['no signature', { 'model.sig': undefined }, /has no model.sig/],
  ['rubbish', { 'model.sig': 'rubbish' }, /is not a sigstore bundle/],
] as const) {
  test(`${title}: the model is refused`, async () => {
    const verify = await verifierOf(change);
    await assert.rejects(verify(TRUST), message);
  });
}

test('as its makers signed it, with a larger curve than images are signed with', async () => {
  const verify = await verifierOf({});
  assert.equal(await verify(TRUST), 'key env://MAKERS');
  assert.equal(await verify({ ...TRUST, models: ['other/*'] }), undefined);
});

test('a model that nobody has to have signed, and one that is not', async () => {
  const verify = await verifierOf({ 'model.sig': undefined });
  assert.equal(await verify({ ...TRUST, isRequired: false }), undefined);
});

test('by another key, about something else, or in shards: refused', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const byOther = await verifierOf({}, statement => statement, publicKey);
  await assert.rejects(byOther(TRUST), /the signature does not match/);
  const other = await verifierOf({}, statement => ({ ...statement, predicateType: 'https://x.example' }));
  await assert.rejects(other(TRUST), /is about something else/);
  const sharded = await verifierOf({}, statement => ({
    ...statement,
    predicate: { ...(statement.predicate as object), serialization: { method: 'shards' } },
  }));
  await assert.rejects(sharded(TRUST), /cannot be verified without reading all files: "shards"/);
});

async function verifierOf(
  change: Readonly<Record<string, string | Buffer | undefined>>,
  edit: (statement: Statement) => Statement = statement => statement,
  publicKey = makers.publicKey,
) {
  const signed = Object.entries(FILES).map(
    ([path, content]): ModelFile => ({
      path,
      sizeBytes: content.length,
      sha256: hexOf(digestOf(content)),
      isUpstream: true,
    }),
  );
  const payload = statementBytes(edit(modelSignature('x', signed)));
  const signature = await keySigner(makers.privateKey, 'sha384').sign(payload, { hint: 'model-signing' });
  const all: Record<string, string | Buffer | undefined> = { ...FILES, 'model.sig': signature, ...change };
  const files = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | Buffer] => entry[1] !== undefined),
  );
  return async (trust: UpstreamTrust): Promise<string | undefined> => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files });
    const planned = await world.plan(world.config('acme/x'));
    const env = { MAKERS: String(publicKey.export({ type: 'spki', format: 'pem' })) };
    return await verifyUpstream(planned, {
      upstream: await readUpstream([trust], { configFile: 'models.yaml', env }),
      hub: world.hubClient(),
      hashes: new Map(),
    });
  };
}
