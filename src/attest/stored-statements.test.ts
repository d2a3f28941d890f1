import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import type { Descriptor } from '../oci/types.ts';
import { PredicateType } from './statement.ts';
import { describeStatements, statementAnnotations } from './stored-statements.ts';

function referrer(predicateType: string, text = ''): Descriptor {
  const payload = Buffer.from(predicateType + text);
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(payload),
    size: payload.length,
    annotations: statementAnnotations(
      { predicateType, payload, signer: 'key' },
      { digest: digestOf(payload), size: payload.length },
    ),
  };
}

test('statements have one order, whatever the order in which a registry lists them', () => {
  const types = Object.values(PredicateType);
  const listed = [...types, 'https://example.com/b', 'https://example.com/a'].flatMap(type => [
    referrer(type),
    referrer(type, 'other'),
  ]);
  const described = describeStatements(listed);
  assert.deepEqual(describeStatements(listed.toReversed()), described);
  const order = [...types, 'https://example.com/a', 'https://example.com/b'].flatMap(type => [type, type]);
  assert.deepEqual(
    described.map(({ predicateType }) => predicateType),
    order,
  );
});
