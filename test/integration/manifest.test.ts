import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import {
  MANIFEST_KINDS,
  type ManifestKind,
  type ManifestOptions,
  manifestText,
} from '../../src/report/serve/manifest.ts';
import type { ServedImage } from '../../src/report/serve/served-image.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool } from '../support/tools.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const COMMIT_TAG = `r${'c'.repeat(40)}-weights`;
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
  tagged: { reference: `ghcr.io/acme/hf-x:${COMMIT_TAG}`, isImmutable: true },
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
  { kind: 'kubeai', variant: 'weights', says: /has weights alone: --for kubeai needs an image of vLLM/ },
  { kind: 'image-volume', variant: 'slim', says: /a slim image has no weights/ },
  {
    kind: 'kubernetes',
    variant: 'weights',
    says: /has weights alone: --for kubernetes needs an image of vLLM/,
  },
  { kind: 'compose', variant: 'modelpack', says: /a ModelPack artifact is not an image/ },
];

/**
 * As far as we write it, with the limits of https://github.com/kubeai-project/kubeai, chart 0.22.1: those of the definition, and
 * of what the controller reads, which refuses more of a URL since 0.23.2. `oci://` is of 0.23.3.
 */
const KUBEAI_MODEL = z.strictObject({
  apiVersion: z.literal('kubeai.org/v1'),
  kind: z.literal('Model'),
  metadata: z.strictObject({
    name: z
      .string()
      .max(40)
      .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/),
  }),
  spec: z.strictObject({
    features: z.array(z.enum(['TextGeneration', 'TextEmbedding', 'Reranking', 'SpeechToText'])),
    engine: z.enum(['OLlama', 'VLLM', 'FasterWhisper', 'Infinity']),
    url: z.string().regex(/^(hf|oci):\/\/[a-zA-Z0-9._:/-]+$/),
    image: z.string(),
    args: z.array(z.string()),
    resourceProfile: z.string().regex(/^[^:]+:[1-9]\d*$/),
    minReplicas: z.int32().min(0),
  }),
});

type KubeaiModel = z.infer<typeof KUBEAI_MODEL>;

function kubeaiModel(changes: Partial<ServedImage> = {}, options: ManifestOptions = {}): KubeaiModel {
  return parseModel(manifestText('kubeai', image('fat', changes), options));
}

function parseModel(text: string): KubeaiModel {
  const [document] = parseAllDocuments(text);
  return KUBEAI_MODEL.parse(document?.toJS());
}

const weightsAt = (reference: string, isImmutable = true): ServedImage =>
  image('weights', { tagged: { reference, isImmutable } });

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
    for (const serveArgs of [[], ['--max-model-len', '8192']]) {
      const { spec } = kubeaiModel({ serveArgs, modelId: 'acme_lab/My_Model-1.5' });
      assert.equal(spec.url, 'hf://acme_lab/My_Model-1.5');
      assert.deepEqual(spec.args, ['--model=/models/x', ...serveArgs]);
    }
  });

  test('a Model of KubeAI mounts weights by the tag that stays, into the server that is named', () => {
    const serveArgs = [
      ...['--port', '9000', '--max-model-len', '8192'],
      ...['--enable-lora', '--lora-modules', 'sql=/models/x-adapters/sql', 'own=/own'],
    ];
    const text = manifestText('kubeai', image('weights', { serveArgs, task: 'embed' }), {
      server: SERVER,
      gpuMemoryGB: 48,
    });
    assert.match(text, /^# KubeAI 0\.23\.3 or later, and Kubernetes 1\.36 /m);
    assert.match(text, /^# KubeAI takes the weights by tag, not by digest\.$/m);
    assert.match(text, /^# KubeAI passes no requests to the adapters/m);
    assert.doesNotMatch(text, /This tag may move/);
    const { spec } = parseModel(text);
    assert.equal(spec.url, `oci://ghcr.io/acme/hf-x:${COMMIT_TAG}`);
    assert.equal(spec.image, SERVER);
    assert.deepEqual(spec.features, ['TextEmbedding']);
    assert.equal(spec.resourceProfile, 'nvidia-gpu-l40s:4');
    // No `--model`: KubeAI's own names `/model`, where it mounts the image.
    assert.deepEqual(spec.args, [
      ...['--max-model-len', '8192', '--enable-lora', '--lora-modules'],
      ...['sql=/model/models/x-adapters/sql', 'own=/own'],
    ]);
  });

  test('weights whose tag may move are written for KubeAI with a comment that says so', () => {
    const text = manifestText('kubeai', weightsAt('ghcr.io/acme/hf-x:weights', false), { server: SERVER });
    assert.match(text, /^# This tag may move to another image/m);
    assert.equal(parseModel(text).spec.url, 'oci://ghcr.io/acme/hf-x:weights');
  });

  test('weights without a tag are refused for KubeAI, with the tag to publish', () => {
    assert.throws(() => manifestText('kubeai', image('weights', { tagged: undefined }), { server: SERVER }), {
      code: 'USAGE',
      message: `--for kubeai needs a tag of ghcr.io/acme/hf-x@${DIGEST}, and no immutable tag names it`,
      remedy: /Publish the tag `r\{revision\}-\{variant\}`/,
    });
  });

  test("weights are refused for KubeAI if its URL cannot have the registry's address, and only then", () => {
    for (const reference of ['localhost:5000/acme_lab/hf-x_y:v1_2-weights', '10.0.0.1/a__b/c:R']) {
      const text = manifestText('kubeai', weightsAt(reference), { server: SERVER });
      assert.equal(parseModel(text).spec.url, `oci://${reference}`);
    }
    assert.throws(() => manifestText('kubeai', weightsAt('[::1]:5000/acme/hf-x:w'), { server: SERVER }), {
      code: 'USAGE',
      message: /--for kubeai cannot use \[::1\]:5000\/acme\/hf-x:w: KubeAI refuses the URL oci:/,
      remedy: /host name/,
    });
  });

  test('Models of KubeAI whose long names begin alike have names of their own', () => {
    const named = (name: string): string => kubeaiModel({ name }).metadata.name;
    const long = `hf-${'long-'.repeat(8)}`;
    assert.match(named(`${long}w4a16`), /^hf-long-long-long-long-long-long-[0-9a-f]{6}$/);
    assert.notEqual(named(`${long}w4a16`), named(`${long}w8a8`));
    assert.equal(named('x'.repeat(40)), 'x'.repeat(40));
  });

  test('a Model of KubeAI is listed as what the model does', () => {
    const features = (task?: string): readonly string[] => kubeaiModel({ task }).spec.features;
    for (const task of [undefined, 'generate', 'multimodal', 'constructor'])
      assert.deepEqual(features(task), ['TextGeneration'], task);
    assert.deepEqual(features('embed'), ['TextEmbedding']);
    assert.deepEqual(features('classify'), ['Reranking']);
    assert.deepEqual(features('transcribe'), ['SpeechToText']);
    assert.deepEqual(features('draft'), []);
  });

  test("a Model of KubeAI names the profile of the chart that has the GPUs' memory", () => {
    const profile = (gpuMemoryGB?: number): string => kubeaiModel({}, { gpuMemoryGB }).spec.resourceProfile;
    assert.equal(profile(), 'nvidia-gpu-l4:4');
    assert.equal(profile(16), 'nvidia-gpu-t4:4');
    assert.equal(profile(48), 'nvidia-gpu-l40s:4');
    assert.equal(profile(141), 'nvidia-gpu-141gb:4');
  });

  test('a Model of KubeAI says that the adapters in its image get no requests', () => {
    const serveArgs = ['--enable-lora', '--lora-modules', 'sql=/models/x-adapters/sql'];
    assert.match(
      manifestText('kubeai', image('fat', { serveArgs })),
      /^# KubeAI passes no requests to the adapters/,
    );
    assert.doesNotMatch(manifestText('kubeai', image('fat')), /adapters/);
    assert.doesNotMatch(manifestText('kubernetes', image('fat', { serveArgs })), /adapters,/);
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
