import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { kubernetesExamples } from '../../src/report/serve/kubernetes-examples.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool, runOk } from '../support/tools.ts';

// The examples of docs/kubernetes.md: right by Kubernetes' own schemas and its own Pod Security checks, and right for
// our images.

const DOCS = path.join(import.meta.dirname, '..', '..', 'docs');
const FILES = readdirSync(path.join(DOCS, 'kubernetes')).filter(name => name.endsWith('.yaml'));
const RESTRICTED = [
  'slim-restricted.yaml',
  'fat-deployment.yaml',
  'fat-image-volume.yaml',
  'weights-image-volume.yaml',
];
/** The oldest that is looked at; image volumes are newer than that. */
const VERSIONS = ['1.30', '1.37'];
const NEEDS_NEW = ['fat-image-volume.yaml', 'weights-image-volume.yaml'];

interface Named {
  readonly name: string;
}

interface Container extends Named {
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly (Named & { readonly containerPort: number })[];
  readonly volumeMounts: readonly Named[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly (Named & { readonly persistentVolumeClaim?: { readonly claimName: string } })[];
}

interface Resource {
  readonly kind: string;
  readonly metadata: Named & { readonly namespace?: string };
  readonly spec: PodSpec & { readonly template?: { readonly spec: PodSpec } };
}

for (const file of FILES) {
  describe(`docs/kubernetes/${file}`, () => {
    const text = readFileSync(path.join(DOCS, 'kubernetes', file), 'utf8');
    const resources = parseAllDocuments(text).map(document => document.toJS() as Resource);

    for (const version of NEEDS_NEW.includes(file) ? VERSIONS.slice(-1) : VERSIONS) {
      test(`fits the schemas of Kubernetes ${version}`, { skip: requireTool('python3') }, async () => {
        const { passed, problems } = await checkKubernetesYaml(text, version);
        assert.deepEqual(problems, []);
        assert.equal(passed.length, resources.length);
      });
    }

    test('fits its Pod Security Standard', { skip: requireGoTool('pod-security') }, async () => {
      const level = RESTRICTED.includes(file) ? 'restricted' : 'baseline';
      const said = await runOk(goTool('pod-security'), [level], { input: text });
      assert.match(said, /^allowed (Deployment|Pod)\/qwen25-05b\n$/);
    });

    test('names what is there, and probes the model', () => {
      const [spec, ...others] = resources.flatMap(({ kind, spec: found }) =>
        kind === 'Pod' ? [found] : (found?.template?.spec ?? []),
      );
      assert.ok(spec !== undefined && others.length === 0);
      const volumes = spec.volumes.map(({ name }) => name);
      for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
        for (const { name } of container.volumeMounts) assert.ok(volumes.includes(name), name);
      }
      const [server] = spec.containers;
      assert.equal(server?.startupProbe?.httpGet.path, '/v1/models');
      assert.equal(server.readinessProbe?.httpGet.path, '/v1/models');
      assert.equal(server.livenessProbe?.httpGet.path, '/health');
      assert.deepEqual(
        server.ports?.map(port => port.containerPort),
        [8000],
      );
      const claims = spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
      for (const { claimName } of claims) {
        const claim = resources.find(({ kind }) => kind === 'PersistentVolumeClaim');
        assert.equal(claim?.metadata.name, claimName);
      }
    });

    test('stands in docs/kubernetes.md', () => {
      const guide = readFileSync(path.join(DOCS, 'kubernetes.md'), 'utf8');
      assert.ok(guide.includes(`(kubernetes/${file})`));
    });
  });
}

test('the examples are what `weighbridge manifest` prints: `npm run examples` renews them', () => {
  const examples = kubernetesExamples();
  assert.deepEqual(examples.map(({ file }) => file).sort(), FILES.toSorted());
  for (const { file, text } of examples)
    assert.equal(readFileSync(path.join(DOCS, 'kubernetes', file), 'utf8'), text, file);
});

test('the Pod Security check finds a pod that is not restricted', {
  skip: requireGoTool('pod-security'),
}, async () => {
  const text = readFileSync(path.join(DOCS, 'kubernetes', 'slim-deployment.yaml'), 'utf8');
  const said = await runOk(goTool('pod-security'), ['restricted'], { input: text });
  assert.match(
    said,
    /^forbidden Deployment\/qwen25-05b: .*allowPrivilegeEscalation != false.*runAsNonRoot != true/,
  );
});
