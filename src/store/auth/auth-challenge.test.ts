import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from './auth-challenge.ts';

const parsed = (header: string): [string, Record<string, string>][] =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test('a comma inside quotes belongs to the scope, as Docker Hub sends it', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:acme/x:pull,push"';
  assert.deepEqual(parsed(header), [
    [
      'bearer',
      {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:acme/x:pull,push',
      },
    ],
  ]);
});

test('several challenges in one header', () => {
  assert.deepEqual(
    parsed('Basic realm="Registry \\"A\\"", Bearer realm=https://a/t , service=s'),
    [
      ['basic', { realm: 'Registry "A"' }],
      ['bearer', { realm: 'https://a/t', service: 's' }],
    ].map(([scheme, parameters]) => [scheme, parameters]) as [string, Record<string, string>][],
  );
});

test('the first of two equal parameters counts, and a scheme alone is a challenge', () => {
  assert.deepEqual(parsed('Bearer realm="a", realm="b"'), [['bearer', { realm: 'a' }]]);
  assert.deepEqual(parsed('Negotiate'), [['negotiate', {}]]);
  assert.deepEqual(parsed(''), []);
});

test('any text is read without an error, and ends', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), text => Array.isArray(parseChallenges(text))));
  const quotes = fc.string({
    unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', 'Bearer '),
    maxLength: 60,
  });
  fc.assert(fc.property(quotes, text => Array.isArray(parseChallenges(text))));
});

test('what is written as a challenge is read back', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  fc.assert(
    fc.property(
      name,
      fc.dictionary(name, fc.string({ unit: 'grapheme-ascii' }), { maxKeys: 4, noNullPrototype: true }),
      (scheme, parameters) => {
        const written = Object.entries(parameters).map(([k, v]) => `${k}="${v.replace(/["\\]/g, '\\$&')}"`);
        assert.deepEqual(parsed(`${scheme} ${written.join(', ')}`), [[scheme, parameters]]);
      },
    ),
  );
});
