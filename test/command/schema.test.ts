import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool } from '../support/tools.ts';

const skip = requireTool('python3');

test('what is wrong with a resource is found, and what is right is counted', { skip }, async () => {
  const claim = (spec: string) =>
    `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: models}\nspec: ${spec}\n---\n`;
  const right = '{accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}';
  const check = await checkKubernetesYaml(
    [
      claim(right),
      claim('{accessMode: [ReadWriteOnce]}'),
      claim('{accessModes: ReadWriteOnce}'),
      'apiVersion: v1\nkind: Podd\nmetadata: {name: x}\n',
    ].join(''),
    '1.37',
  );
  assert.deepEqual(check.passed, ['persistentvolumeclaim/models']);
  assert.equal(check.problems.length, 3, check.problems.join('\n'));
  assert.match(check.problems[0] ?? '', /'accessMode' was unexpected/);
  assert.match(check.problems[1] ?? '', /spec\.accessModes: 'ReadWriteOnce' is not of type 'array'/);
  assert.match(check.problems[2] ?? '', /schema for kind Podd/);
});
