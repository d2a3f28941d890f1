import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorFromWire, errorToWire } from './error-wire.ts';
import { ConfigError, HubError, IntegrityError, InterruptedError, isAbort, RegistryError } from './errors.ts';

const across = (error: unknown): Error => errorFromWire(structuredClone(errorToWire(error)));

test('an error of ours keeps its class, code and words on the way to another thread', () => {
  for (const type of [ConfigError, HubError, IntegrityError, RegistryError]) {
    const error = new type('it broke', { code: 'REGISTRY_FULL', subject: 'ghcr.io', remedy: 'Mend it.' });
    const there = across(error);
    assert.ok(there instanceof type);
    assert.deepEqual(
      [there.name, there.message, there.code, there.subject, there.remedy],
      [error.name, 'it broke', 'REGISTRY_FULL', 'ghcr.io', 'Mend it.'],
    );
  }
  assert.ok(isAbort(across(new InterruptedError())));
});

test('a cause stays where it is, with whatever secret is in it', () => {
  const error = new RegistryError('refused', { code: 'NETWORK', cause: new Error('Bearer abc') });
  assert.doesNotMatch(JSON.stringify(errorToWire(error)), /abc/);
});

test('a defect keeps its name and stack; what is no error becomes one', () => {
  const defect = new RangeError('too far');
  const there = across(defect);
  assert.deepEqual([there.name, there.message, there.stack], ['RangeError', 'too far', defect.stack]);
  assert.equal(across('words').message, 'words');
});
