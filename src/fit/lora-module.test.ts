import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loraModuleOf } from './lora-module.ts';

test('an adapter of --lora-modules is name=path, or JSON', () => {
  assert.deepEqual(loraModuleOf('sql=/models/x=y'), { name: 'sql', path: '/models/x=y' });
  assert.deepEqual(loraModuleOf('{"name": "sql", "path": "/p", "base_model_name": "x"}'), {
    ...{ name: 'sql', path: '/p' },
  });
  assert.deepEqual(loraModuleOf('{"extra": {"name": "no"}, "name": "sql"}').name, 'sql');
  assert.deepEqual(loraModuleOf('sql'), { name: 'sql', path: '' });
});
