import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../core/errors.ts';
import {
  apiHost,
  formatPlatform,
  isRepository,
  isTag,
  matchesPlatform,
  normalizeRegistry,
  parsePlatform,
  parseReference,
} from './reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

function full({ registry, repository, tag, digest }: ReturnType<typeof parseReference>): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

test('references are read as Docker reads them', () => {
  const cases: [string, string][] = [
    ['debian', 'docker.io/library/debian'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['docker.io/debian:12', 'docker.io/library/debian:12'],
    ['index.docker.io/acme/x', 'docker.io/acme/x'],
    ['registry-1.docker.io/acme/x', 'docker.io/acme/x'],
    ['vllm/vllm-openai:v0.6.0', 'docker.io/vllm/vllm-openai:v0.6.0'],
    ['ghcr.io/acme/hf-x:v1-fat', 'ghcr.io/acme/hf-x:v1-fat'],
    ['GHCR.io/acme/hf-x', 'ghcr.io/acme/hf-x'],
    ['localhost/x', 'localhost/x'],
    ['localhost:5000/models/x:a', 'localhost:5000/models/x:a'],
    ['localhost:5000', 'docker.io/library/localhost:5000'],
    ['[::1]:5000/x:a', '[::1]:5000/x:a'],
    ['[0:0::1]/x', '[::1]/x'],
    [`ghcr.io/a/b__c.d---e@${DIGEST}`, `ghcr.io/a/b__c.d---e@${DIGEST}`],
    [`ghcr.io/a/b:t@${DIGEST}`, `ghcr.io/a/b:t@${DIGEST}`],
  ];
  for (const [text, read] of cases) assert.equal(full(parseReference(text)), read, text);
});

test('a reference comes apart into its parts', () => {
  assert.deepEqual(parseReference(`localhost:5000/a/b:t@${DIGEST}`), {
    registry: 'localhost:5000',
    repository: 'a/b',
    tag: 't',
    digest: DIGEST,
  });
  assert.deepEqual(parseReference('debian'), { registry: 'docker.io', repository: 'library/debian' });
});

test('what is no reference is refused with the text and the reason', () => {
  const cases: [string, RegExp][] = [
    ['', /is not an image reference/],
    ['ghcr.io/Acme/x', /lower case: acme\/x/],
    ['ghcr.io/a/b:', /a tag has/],
    ['ghcr.io/a/b:-x', /a tag has/],
    [`ghcr.io/a/b:${'x'.repeat(129)}`, /a tag has/],
    ['ghcr.io/a/b@sha256:00', /digest/],
    [`ghcr.io/a/b@${DIGEST}@${DIGEST}`, /digest/],
    ['ghcr.io//b', /repository/],
    ['ghcr.io/a/', /repository/],
    ['/a', /repository/],
    ['https://ghcr.io/a/b', /: leave out https:\/\/$/],
    ['docker://docker.io/a/b:c', /: leave out docker:\/\/$/],
    ['hub.docker.com/r/vllm/vllm-openai', /has pages about images, which are at docker\.io/],
    ['ghcr.io:99999/a', /is not a registry host/],
    ['ghcr.io:0/a', /is not a registry host/],
    ['user:pw@ghcr.io/a', /digest/],
    ['[::1:::]/a', /is not a registry host/],
    ['-x.io/a', /is not a registry host/],
    ['a/../b', /repository/],
    ['a..b/c', /is not a registry host/],
    ['a/b c', /repository/],
    ['a/b\n', /repository/],
    [`a/${'b'.repeat(300)}`, /longer than 255/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseReference(text),
      error => error instanceof ConfigError && error.code === 'USAGE' && message.test(error.message),
      JSON.stringify(text),
    );
  }
});

test('a password in a reference is not repeated', () => {
  for (const text of ['user:hunter2@ghcr.io/a/b', 'https://user:hunter2@ghcr.io/a/b:c']) {
    assert.throws(
      () => parseReference(text),
      error => error instanceof ConfigError && !`${error.message}${error.subject}`.includes('hunter2'),
    );
  }
});

const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const host = fc.oneof(
  fc.tuple(label, label).map(labels => labels.join('.')),
  fc.tuple(label, fc.integer({ min: 1, max: 65535 })).map(([name, port]) => `${name}:${port}`),
  fc.ipV6().map(address => `[${address}]`),
);
const wellFormed = fc
  .tuple(
    fc.option(host),
    fc.array(label, { minLength: 1, maxLength: 3 }),
    fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/)),
    fc.boolean(),
  )
  .map(
    ([registry, parts, tag, hasDigest]) =>
      `${registry === null ? '' : `${registry}/`}${parts.join('/')}${tag === null ? '' : `:${tag}`}${hasDigest ? `@${DIGEST}` : ''}`,
  );

test('the full form of a reference reads back as itself', () => {
  fc.assert(
    fc.property(wellFormed, text => {
      const once = parseReference(text);
      assert.deepEqual(parseReference(full(once)), once);
    }),
  );
});

test('any text is a reference that holds its grammar, or a ConfigError', () => {
  const nasty = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-zA-Z0-9.:/@_[\]-]{0,40}$/));
  fc.assert(
    fc.property(nasty, text => {
      try {
        const reference = parseReference(text);
        assert.ok(isRepository(reference.repository));
        assert.ok(reference.tag === undefined || isTag(reference.tag));
        assert.deepEqual(parseReference(full(reference)), reference);
      } catch (error) {
        assert.ok(error instanceof ConfigError && error.code === 'USAGE', String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('registry hosts have one spelling, and Docker Hub is served elsewhere', () => {
  assert.equal(normalizeRegistry('Registry-1.Docker.IO'), 'docker.io');
  assert.equal(normalizeRegistry('localhost:05000'), 'localhost:5000');
  assert.equal(normalizeRegistry('a/b'), undefined);
  assert.equal(apiHost('docker.io'), 'registry-1.docker.io');
  assert.equal(apiHost('ghcr.io'), 'ghcr.io');
});

test('platforms are read, written and compared', () => {
  assert.deepEqual(parsePlatform('linux/arm64/v8'), { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.deepEqual(parsePlatform('linux/x86_64'), { os: 'linux', architecture: 'amd64' });
  assert.equal(formatPlatform(parsePlatform('Linux/ARM64/v8')), 'linux/arm64/v8');
  assert.equal(formatPlatform({ os: 'linux', architecture: 'amd64' }), 'linux/amd64');
  for (const text of ['', 'linux', 'linux/', '/amd64', 'linux/arm64/v8/x', 'linux/amd 64', 'linux//v8']) {
    assert.throws(
      () => parsePlatform(text),
      error => error instanceof ConfigError && error.code === 'USAGE',
      text,
    );
  }
  const matches = (offered: string, wanted: string) =>
    matchesPlatform(parsePlatform(offered), parsePlatform(wanted));
  assert.ok(matches('linux/arm64/v8', 'linux/arm64'));
  assert.ok(matches('linux/arm64', 'linux/arm64/v8'));
  assert.ok(matches('linux/amd64', 'linux/amd64'));
  assert.ok(!matches('linux/amd64/v3', 'linux/amd64'));
  assert.ok(!matches('linux/arm/v6', 'linux/arm'));
  assert.ok(!matches('unknown/unknown', 'linux/amd64'));
});
