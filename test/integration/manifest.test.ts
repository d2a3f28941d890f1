import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { MANIFEST_KINDS, type ManifestKind, manifestText } from '../../src/report/serve/manifest.ts';
import type { ServedImage } from '../../src/report/serve/served-image.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool } from '../support/tools.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const SERVER = `docker.io/vllm/vllm-openai:v0.11.0@sha256:${'b'.repeat(64)}`;

const image = (variant: string, changes: Partial<ServedImage> = {}): ServedImage => ({
  reference: `ghcr.io/acme/hf-x@${DIGEST}`,
  name: 'hf-x',
  modelId: 'acme/X',
  variant,
  dir: '/models/x',
  port: 9000,
  serveArgs: ['--port', '9000', '--tensor-parallel-size', '2', '--pipeline-parallel-size=2'],
  gpus: 4,
  modelBytes: 14 * 1024 ** 3,
  server: variant === 'weights' ? undefined : SERVER,
  ...changes,
});

interface Refused {
  readonly kind: ManifestKind;
  readonly variant: string;
  readonly says: RegExp;
}

const REFUSED: readonly Refused[] = [
  { kind: 'kserve', variant: 'slim', says: /--for kserve cannot use .*: a slim image has no weights/ },
  { kind: 'kubeai', variant: 'slim', says: /a slim image has no weights/ },
  { kind: 'kubeai', variant: 'weights', says: /KubeAI mounts no images, it starts one/ },
  { kind: 'image-volume', variant: 'slim', says: /a slim image has no weights/ },
  {
    kind: 'kubernetes',
    variant: 'weights',
    says: /has weights alone: --for kubernetes needs an image of vLLM/,
  },
  { kind: 'compose', variant: 'modelpack', says: /a ModelPack artifact is not an image/ },
];

/** As far as we write it, with the limits of https://github.com/kubeai-project/kubeai, chart 0.22. */
const KUBEAI_MODEL = z.strictObject({
  apiVersion: z.literal('kubeai.org/v1'),
  kind: z.literal('Model'),
  metadata: z.strictObject({ name: z.string().max(40) }),
  spec: z.strictObject({
    features: z.array(z.enum(['TextGeneration', 'TextEmbedding', 'Reranking', 'SpeechToText'])),
    engine: z.enum(['OLlama', 'VLLM', 'FasterWhisper', 'Infinity']),
    url: z.string().startsWith('hf://'),
    image: z.string(),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    resourceProfile: z.string().regex(/^[^:]+:[1-9]\d*$/),
    minReplicas: z.int().min(0),
  }),
});

describe('manifests', () => {
  const skip = requireTool('python3');
  for (const variant of ['slim', 'fat', 'weights'] as const) {
    test(`of ${variant} images fit the schemas of Kubernetes 1.34 and 1.37`, { skip }, async () => {
      const kinds = (['kubernetes', 'image-volume', 'prepull'] as const).filter(
        kind => kind !== 'image-volume' || variant !== 'slim',
      );
      const options = [{}, { isRestricted: true, hasInitContainer: true, namespace: 'models' }];
      const yaml = kinds.flatMap(kind =>
        options.map(one => manifestText(kind, image(variant), { server: SERVER, ...one })),
      );
      for (const version of ['1.34', '1.37']) {
        const { passed, problems } = await checkKubernetesYaml(yaml.join('---\n'), version);
        assert.deepEqual(problems, []);
        assert.ok(passed.length >= yaml.length);
      }
    });
  }

  for (const { kind, variant, says } of REFUSED) {
    test(`--for ${kind} of a ${variant} image is refused with what to do`, () => {
      assert.throws(() => manifestText(kind, image(variant)), { code: 'USAGE', message: says });
    });
  }

  test('every kind names the image by its digest, and as many GPUs as the flags ask for', () => {
    for (const kind of MANIFEST_KINDS) {
      const variant = kind === 'kubeai' ? 'fat' : 'weights';
      const text = manifestText(kind, image(variant), { server: SERVER });
      assert.ok(text.includes(`@${DIGEST}`), kind);
      if (kind === 'prepull') continue;
      assert.match(text, /nvidia\.com\/gpu: "4"|nvidia-gpu-l4:4|count: 4/, kind);
      assert.match(text, /--tensor-parallel-size/, kind);
    }
  });

  test('a token is asked for if the image says that the model wants one', () => {
    for (const kind of ['kubernetes', 'compose'] as const) {
      for (const options of [{}, { hasInitContainer: true, isRestricted: true }]) {
        assert.doesNotMatch(manifestText(kind, image('slim'), options), /HF_TOKEN|huggingface/, kind);
        assert.match(manifestText(kind, image('slim', { access: 'gated' }), options), /HF_TOKEN/, kind);
      }
    }
  });

  test('a Model of KubeAI has the fields that its definition knows, and no others', () => {
    for (const args of [[], ['--max-model-len', '8192']]) {
      const text = manifestText('kubeai', image('fat', { serveArgs: args, name: `hf-${'long'.repeat(12)}` }));
      KUBEAI_MODEL.parse(parseAllDocuments(text)[0]?.toJS());
    }
  });

  test('KServe and KubeAI get the flags without host and port', () => {
    for (const kind of ['kserve', 'kubeai'] as const) {
      const [document] = parseAllDocuments(manifestText(kind, image(kind === 'kubeai' ? 'fat' : 'weights')));
      assert.doesNotMatch(String(document), /--port|9000/);
    }
  });

  test('compose mounts an image of weights into its folder', () => {
    const [document] = parseAllDocuments(manifestText('compose', image('weights'), { server: SERVER }));
    assert.deepEqual(document?.toJS().services['hf-x'].volumes, [
      {
        type: 'image',
        source: `ghcr.io/acme/hf-x@${DIGEST}`,
        target: '/models',
        image: { subpath: 'models' },
      },
    ]);
  });
});
