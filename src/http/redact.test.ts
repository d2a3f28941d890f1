import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactUrl } from './redact.ts';

test('what a reader needs is shown', () => {
  assert.equal(
    redactUrl('https://ghcr.io/v2/acme/x/blobs/uploads/7?digest=sha256:ab&_state=secret'),
    'https://ghcr.io/v2/acme/x/blobs/uploads/7?digest=sha256:ab&_state=…',
  );
  assert.equal(redactUrl('http://localhost:5000/v2/'), 'http://localhost:5000/v2/');
});

test('user info, fragments, bare parameters and what is no URL are not', () => {
  assert.equal(redactUrl('https://user:pass@host/a#frag'), 'https://host/a');
  assert.equal(
    redactUrl('https://host/a?bare-signature&X-Amz-Signature=f00'),
    'https://host/a?…&X-Amz-Signature=…',
  );
  assert.equal(redactUrl('//secret'), '(not a URL)');
});

test('a value that is shown cannot begin a line of its own', () => {
  assert.equal(redactUrl('https://host/?scope=a%0Ab&n=1\n2'), 'https://host/?scope=a%0Ab&n=12');
});

test('no value of an unknown parameter survives', () => {
  const secret = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).map(text => `S3CR3T${text}`);
  const name = fc
    .oneof(fc.constantFrom('X-Amz-Signature', 'token', 'sig', 'Policy'), fc.string({ maxLength: 8 }))
    .filter(
      text =>
        !['blobs', 'digest', 'from', 'mount', 'n', 'last', 'recursive', 'scope', 'service'].includes(text),
    );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, secret), { minLength: 1, maxLength: 4 }), secret, (query, user) => {
      const url = new URL('https://cdn.example.org/file');
      for (const [key, value] of query) url.searchParams.append(key, value);
      url.password = user;
      url.hash = user;
      assert.doesNotMatch(redactUrl(url), /S3CR3T/);
    }),
  );
});

test('the result is one printable line, whatever the URL', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), fc.string({ unit: 'binary' }), (base, tail) => {
      assert.match(redactUrl(`${base}${tail}`), /^[\x20-\x7e…]*$/u);
    }),
  );
});
