import * as z from 'zod';
import {
  ABSOLUTE_PATH,
  BYTE_SIZE,
  checkAbsolutePath,
  checkArgument,
  checkBaseImage,
  checkGlob,
  checkHubId,
  checkIncludePattern,
  checkLayerLimit,
  checkOneLine,
  checkPlatform,
  checkRegistryPrefix,
  checkRevision,
  checkShort,
  checkSpdxExpression,
  checkSpdxId,
  checkTagTemplate,
  checkVariantTag,
  checkWebAddress,
  HUB_ID,
  MAX_SHORT_NAME_CHARACTERS,
  MIN_LAYER_LIMIT_BYTES,
  ONE_LINE,
  PLATFORM,
  REVISION,
  SHORT_NAME,
  SPDX_EXPRESSION,
  SPDX_ID,
} from './field-checks.ts';

import { listOf, text, unique } from './field-schema.ts';
import { env, labels } from './image-settings.ts';
import { signing, vex } from './signing-schema.ts';
import { LAYER_ORDERS, MODELPACK_FORMS, SEVERITIES, VARIANTS, type Variant } from './types.ts';
import { USUAL_VARIANTS } from './variants.ts';

/** The registries of the original document, which need no entry in `registries`. */
export const BUILT_IN_REGISTRIES = ['ghcr', 'dockerhub'] as const;

export const BUILT_IN_BASE_IMAGE = 'vllm/vllm-openai:v0.6.0';
export const BUILT_IN_TAGS = [
  '{version}-{variant}',
  'r{revision}-{variant}',
  '{version}-r{revision8}-{variant}',
];
/** For variants that no vLLM is in. */
export const BUILT_IN_TAGS_WITHOUT_SERVER = ['{variant}', 'r{revision}-{variant}'];

const registryPrefix = text(checkRegistryPrefix, { examples: ['ghcr.io/acme', 'localhost:5000/models'] });
const registryEntry = z.strictObject({
  prefix: registryPrefix,
  plain_http: z.boolean({ error: 'must be true or false' }).default(false).meta({
    description: 'Speak HTTP to this registry, logins included: for one in a network that you trust.',
  }),
  ca: text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
    description: 'A file with the certificates (PEM) of the authority that it uses, relative to models.yaml.',
  }),
});
const baseImage = text(checkBaseImage, { examples: ['vllm/vllm-openai:v0.6.0'] });
const platform = text(checkPlatform, { pattern: PLATFORM, examples: ['linux/amd64', 'linux/arm64'] });
const arch = z.union([platform, listOf(platform)], { error: 'must be a platform or a list of platforms' });
const absolutePath = text(checkAbsolutePath, { pattern: ABSOLUTE_PATH });
const tagList = listOf(text(checkTagTemplate, { examples: ['{version}-{variant}'] }));
const ownTags = listOf(text(checkVariantTag, { examples: ['{version}'] })).optional();
const tagsByVariant: Record<Variant, typeof ownTags> = {
  slim: ownTags.meta({ description: 'Tags of the slim image.' }),
  fat: ownTags.meta({ description: 'Tags of the fat image.' }),
  weights: ownTags.meta({ description: 'Tags of the weights image.' }),
  modelpack: ownTags.meta({ description: 'Tags of the ModelPack artifact.' }),
};
const tags = z.union([tagList, z.strictObject(tagsByVariant)], {
  error: 'must be a list of tags, or a map of such lists by variant',
});
const variants = listOf(z.enum(VARIANTS, { error: `must be one of ${VARIANTS.join(', ')}` }));
const modelpack = z.enum(MODELPACK_FORMS, { error: 'must be raw or tar' });
const layerOrder = z.enum(LAYER_ORDERS, { error: `must be ${LAYER_ORDERS.join(', ')}` });
const byteSize = z
  .union([z.int().min(MIN_LAYER_LIMIT_BYTES), text(checkLayerLimit, { pattern: BYTE_SIZE })], {
    error: 'must be a size of at least 1MB, such as 5GB',
  })
  .meta({ examples: ['5GB', '500MiB'] });
const glob = text(checkGlob, { pattern: ONE_LINE, examples: ['*.safetensors', 'tokenizer*', 'original/'] });
const autoOrBoolean = z.union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' });

const BASE_IMAGE = 'The vLLM image to build on. Its tag is what {version} stands for.';
const ARCH = 'The platform to build for, or a list of them.';
const DOWNLOAD_ROOT = 'Folder in the image that holds the models, as <download_root>/<folder>.';
const TAGS =
  'What images are tagged with, as a list or as lists by variant. {version}: tag of the base image; {variant}: required in a list for all; {revision}: full commit; {revision8}: its first eight characters. Variants without vLLM take no template with {version}; theirs are {variant} and r{revision}-{variant} if none is left.';
const VARIANTS_META =
  'What is published of a model. slim fetches the weights when it starts, fat has them, weights is an image of the weights alone, modelpack the same as a ModelPack artifact.';
const MODELPACK =
  "The form of a modelpack's files: raw, each as it is, so that its digest is the Hub's sha256; tar, which shares the fat image's blobs.";
const LAYER_ORDER =
  'Where the layers of the model are. weights-first: below those of the base image, so that a node keeps them when the base changes; base-first: above; auto: below if the model is the larger of the two.';
const LAYER_TARGET =
  'Safetensors files above this size are divided for fat and weights images although the registry would take them whole, so that nodes fetch and unpack in parallel. Off if absent.';
const ENV = 'Variables of the environment that the image sets, by name. No secrets: an image can be read.';
const LABELS =
  'Labels of the image, by name, such as org.opencontainers.image.source; they are annotations of its manifest too.';
const PUBLISH = 'Registries by key: true publishes there, false does not.';

const FIT =
  'What happens if a model would not run on the vLLM of its base image: warn says so, enforce builds no image of it, off does not look.';
const fit = z.enum(['warn', 'enforce', 'off'], { error: 'must be warn, enforce or off' });

const publish = z
  .object({
    ghcr: z.boolean().optional().meta({ description: 'GitHub Container Registry.' }),
    dockerhub: z.boolean().optional().meta({ description: 'Docker Hub.' }),
  })
  .catchall(z.boolean());

const files = z.strictObject({
  include: listOf(glob)
    .optional()
    .meta({ description: 'Takes just the files that match, in place of the built-in choice.' }),
  exclude: z
    .array(glob)
    .optional()
    .meta({ description: 'Leaves out files that match, of those that would be taken.' }),
  allow_pickle: z.boolean().optional().meta({
    description:
      'Whether a fat image may hold pickle files, which can run code when they are loaded; false where absent.',
  }),
});

/**
 * Licenses that let everyone redistribute a work, changed or not, for keeping notices and naming its authors at most:
 * those that the Blue Oak Council (https://blueoakcouncil.org/list) rates as permissive and the Hub has an id for, and
 * the licenses for data and content that ask for no more.
 */
const PERMISSIVE_LICENSES = [
  ...['apache-2.0', 'mit', 'bsd-2-clause', 'bsd-3-clause', 'isc', 'cc0-1.0', 'unlicense'],
  ...['0bsd', 'afl-3.0', 'blueoak-1.0.0', 'bsd-3-clause-clear', 'bsl-1.0', 'ecl-2.0', 'mit-0'],
  ...['mulanpsl-2.0', 'ncsa', 'openmdw-1.0', 'postgresql', 'upl-1.0', 'wtfpl', 'zlib'],
  ...['cc-by-2.0', 'cc-by-2.5', 'cc-by-3.0', 'cc-by-4.0', 'cdla-permissive-1.0', 'cdla-permissive-2.0'],
  ...['etalab-2.0', 'odc-by-1.0', 'pddl-1.0'],
];

/** Keys for what a person keeps in the file, such as anchors. */
export const EXTENSION_KEY = /^x-/;
const EXTENSIONS = { patternProperties: { [EXTENSION_KEY.source]: {} } };

const defaults = z.strictObject({
  base_image: baseImage.default(BUILT_IN_BASE_IMAGE).meta({ description: BASE_IMAGE }),
  arch: arch.default('linux/amd64').meta({ description: ARCH }),
  download_root: absolutePath.default('/models').meta({ description: DOWNLOAD_ROOT }),
  hf_cache_dir: absolutePath
    .default('/root/.cache/huggingface')
    .meta({ description: 'Folder in the image that Hugging Face libraries keep their cache in (HF_HOME).' }),
  spdx_permissive_whitelist: unique(z.array(text(checkSpdxId, { pattern: SPDX_ID })))
    .default([...PERMISSIVE_LICENSES])
    .meta({ description: 'SPDX ids of the licenses that allow a fat image, in any case of letters.' }),
  lineage: z
    .enum(['enforce', 'warn', 'off'], { error: 'must be enforce, warn or off' })
    .default('enforce')
    .meta({
      description:
        'The licenses of the models that a model was made from (base_model): enforce asks the whitelist about each of them, warn only tells, off does not look.',
    }),
  fit: fit.default('warn').meta({ description: FIT }),
  publish: publish.prefault({}).meta({ description: PUBLISH }),
  files: files.prefault({}).meta({ description: 'Which files of a model repository go into the image.' }),
  tags: tags.optional().meta({ description: TAGS }),
  variants: variants.default([...USUAL_VARIANTS]).meta({ description: VARIANTS_META }),
  modelpack: modelpack.default('raw').meta({ description: MODELPACK }),
  layer_order: layerOrder.default('auto').meta({ description: LAYER_ORDER }),
  layer_target: byteSize.optional().meta({ description: LAYER_TARGET }),
  env: env.prefault({}).meta({ description: ENV }),
  labels: labels.prefault({}).meta({ description: LABELS }),
});

const oci = z.strictObject({
  title: text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
    description: 'Label org.opencontainers.image.title; "vLLM + <name of the model>" where absent.',
  }),
  description: z
    .string()
    .default('Slim/Fat images; see /licenses')
    .meta({ description: 'Label org.opencontainers.image.description.' }),
  url: text(checkWebAddress, { format: 'uri' }).optional().meta({
    description: 'Label org.opencontainers.image.url; the page of the model on the Hub where absent.',
  }),
});

const model = z.strictObject({
  id: text(checkHubId, { pattern: HUB_ID }).meta({
    description: 'The repository on the Hugging Face Hub.',
    examples: ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B'],
  }),
  short: text(checkShort, { pattern: SHORT_NAME, maxLength: MAX_SHORT_NAME_CHARACTERS }).meta({
    description: 'Kebab-case name: images are <registry>/hf-<short>. No two models share one.',
  }),
  folder: text(checkShort, { pattern: SHORT_NAME, maxLength: MAX_SHORT_NAME_CHARACTERS }).optional().meta({
    description:
      'Name of the folder below download_root, that of short if absent. Entries of one model that share it share their layers of weights.',
  }),
  revision: text(checkRevision, { pattern: REVISION })
    .nullable()
    .default(null)
    .meta({ description: 'Commit, branch or tag of the repository; null is the default branch.' }),
  permissive: autoOrBoolean.default('auto').meta({
    description: 'Whether the license allows a fat image; auto looks the license up and asks the whitelist.',
  }),
  override_spdx: text(checkSpdxExpression, { pattern: SPDX_EXPRESSION })
    .nullable()
    .default(null)
    .meta({ description: 'SPDX id or expression to use in place of the license that the Hub gives.' }),
  gated: autoOrBoolean
    .default('auto')
    .meta({ description: 'Whether access to the model has to be asked for; auto looks it up.' }),
  serve_args: z
    .array(z.union([text(checkArgument), z.number()], { error: 'must be text or a number' }))
    .default(['--host', '0.0.0.0', '--port', '8000'])
    .meta({ description: 'Arguments of "vllm serve", one item for each word.' }),
  fit: fit.optional().meta({ description: `${FIT} Goes before defaults.fit.` }),
  oci: oci.prefault({}).meta({ description: 'Labels of the image.' }),
  publish: publish.prefault({}).meta({ description: `${PUBLISH} Goes before defaults.publish, key by key.` }),
  base_image: baseImage.optional().meta({ description: `${BASE_IMAGE} Goes before defaults.base_image.` }),
  arch: arch.optional().meta({ description: `${ARCH} Goes before defaults.arch.` }),
  download_root: absolutePath
    .optional()
    .meta({ description: `${DOWNLOAD_ROOT} Goes before defaults.download_root.` }),
  files: files
    .prefault({})
    .meta({ description: 'Which files of the repository go into the image. Goes before defaults.files.' }),
  tags: tags.optional().meta({ description: 'As defaults.tags, which it goes before, variant by variant.' }),
  variants: variants.optional().meta({ description: 'As defaults.variants, which it goes before.' }),
  modelpack: modelpack.optional().meta({ description: 'As defaults.modelpack, which it goes before.' }),
  layer_order: layerOrder.optional().meta({ description: 'As defaults.layer_order, which it goes before.' }),
  layer_target: byteSize.optional().meta({ description: 'As defaults.layer_target, which it goes before.' }),
  env: env.prefault({}).meta({ description: `${ENV} Goes before defaults.env, name by name.` }),
  labels: labels.prefault({}).meta({ description: `${LABELS} Goes before defaults.labels, name by name.` }),
});

const severities = unique(z.array(z.enum(SEVERITIES, { error: `must be one of ${SEVERITIES.join(', ')}` })));

const scan = z.strictObject({
  severity: severities
    .default(['CRITICAL', 'HIGH'])
    .meta({ description: 'Findings of these severities are reported; the others are counted only.' }),
  fail_on: severities
    .default([])
    .meta({ description: 'A finding of one of these severities makes "weighbridge scan" fail.' }),
  ignore_file: text(checkOneLine, { pattern: ONE_LINE })
    .nullable()
    .default(null)
    .meta({ description: 'A .trivyignore file, relative to this one: the findings in it are left out.' }),
});

const DAYS = /^[1-9]\d{0,3}d$/;
const retention = z.strictObject({
  keep: z
    .int({ error: 'must be a whole number from 1' })
    .min(1, { error: 'must be at least 1: pruning everything would leave nothing to run' })
    .max(10_000)
    .default(3)
    .meta({ description: 'How many of the newest images of each variant "weighbridge prune" leaves.' }),
  younger_than: z
    .string({ error: 'must be a number of days, such as 30d' })
    .regex(DAYS, { error: 'must be a number of days, such as 30d' })
    .nullable()
    .default(null)
    .meta({
      description:
        'Images published less than so many days ago stay as well, and so do those whose age the registry does not tell.',
      examples: ['30d'],
    }),
});

const models = z.array(model.meta(EXTENSIONS)).min(1).meta({ description: 'The models to publish.' });

/** A file that `include` names. */
export const includedFile = z.strictObject({ models });

/** The file as it is written: one definition for checks, defaults and the JSON Schema. */
export const configFile = z
  .strictObject({
    defaults: defaults
      .prefault({})
      .meta({ description: 'What holds for every model that does not say otherwise.', ...EXTENSIONS }),
    registries: z
      .object({})
      .catchall(
        z.union([registryPrefix, registryEntry], { error: 'must be a prefix, or a map with prefix in it' }),
      )
      .optional()
      .meta({ description: 'Registries by key: the prefix, host[:port]/path, that hf-<short> is added to.' }),
    layer_limits: z.object({}).catchall(byteSize).prefault({}).meta({
      description:
        'The largest layer that a registry takes, by its key; what GHCR (10 GB) and ECR take is known. A larger safetensors file is divided for the fat image; any other file keeps that image from this registry.',
    }),
    scan: scan
      .prefault({})
      .meta({ description: 'What "weighbridge scan" reports of vulnerabilities, and what it fails for.' }),
    signing: signing.prefault({}).meta({
      description: 'Whether and how images are signed, and which signatures of models are checked.',
    }),
    vex: vex.default([]).meta({
      description: 'What is known of vulnerabilities in the images, published with them as OpenVEX.',
    }),
    retention: retention
      .prefault({})
      .meta({ description: 'What "weighbridge prune" leaves besides the tags of this file and its lock.' }),
    include: listOf(text(checkIncludePattern, { pattern: ONE_LINE, examples: ['models.d/*.yaml'] }))
      .optional()
      .meta({
        description:
          'Further files with "models" in them, as patterns below the folder of this file. Everything else is here only.',
      }),
    models: models.optional(),
  })
  .meta({
    title: 'models.yaml',
    description:
      'The models that Weighbridge publishes as container images. Keys that begin with "x-" are ignored.',
    anyOf: [{ required: ['models'] }, { required: ['include'] }],
    ...EXTENSIONS,
  });

export type ConfigFile = z.infer<typeof configFile>;
