import * as z from 'zod';
import {
  ABSOLUTE_PATH,
  ADAPTER_NAME,
  BYTE_SIZE,
  checkAbsolutePath,
  checkAdapterName,
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

/** The `base_image` of a file that names none. It stays as it is, so that such files keep their images. */
export const BUILT_IN_BASE_IMAGE = 'vllm/vllm-openai:v0.6.0';
/** The `tags` of a file that names none. */
export const BUILT_IN_TAGS = [
  '{version}-{variant}',
  'r{revision}-{variant}',
  '{version}-r{revision8}-{variant}',
];
/** For variants that no vLLM is in. */
export const BUILT_IN_TAGS_WITHOUT_SERVER = ['{variant}', 'r{revision}-{variant}'];

const registryPrefix = text(checkRegistryPrefix, { examples: ['ghcr.io/acme', 'localhost:5000/models'] });
const registryEntry = z.strictObject({
  prefix: registryPrefix.meta({ description: 'host[:port]/path, to which hf-<short> is added.' }),
  plain_http: z.boolean({ error: 'must be true or false' }).default(false).meta({
    description: 'Use HTTP for this registry, including logins: only in a network that you trust.',
  }),
  ca: text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
    description: 'PEM file with the certificates of its certificate authority, relative to models.yaml.',
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
const layerOrder = z.enum(LAYER_ORDERS, { error: 'must be auto, base-first or weights-first' });
/** Of a number of bytes that is too small, or larger than numbers are exact. */
const LAYER_SIZE = 'must be a size of at least 1MB, such as 5GB';
const byteSize = z
  .union(
    [
      z.int({ error: LAYER_SIZE }).min(MIN_LAYER_LIMIT_BYTES, { error: LAYER_SIZE }),
      text(checkLayerLimit, { pattern: BYTE_SIZE }),
    ],
    {
      error: LAYER_SIZE,
    },
  )
  .meta({ examples: ['5GB', '500MiB'] });
const glob = text(checkGlob, { pattern: ONE_LINE, examples: ['*.safetensors', 'tokenizer*', 'original/'] });
const autoOrBoolean = z.union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' });

const BASE_IMAGE = 'The vLLM image to build on. Its tag replaces {version} in tags.';
const ARCH = 'The platform to build for, or a list of them.';
const DOWNLOAD_ROOT = 'Folder of the models in the image: each is in <download_root>/<folder>.';
const TAGS =
  'Templates of image tags, as a list or as a map of lists by variant. {version}: tag of the base image; {variant}: required in a list for all variants; {revision}: full commit; {revision8}: its first eight characters. Variants without vLLM skip templates with {version}; if none is left, they get {variant} and r{revision}-{variant}.';
const VARIANTS_META =
  'The variants to publish. slim downloads the weights at start, fat includes them, weights is an image of the weights alone, modelpack the same as a ModelPack artifact.';
const MODELPACK =
  "The files of a modelpack. raw: blobs with the Hub's sha256 as digest; tar: the layers of the fat image.";
const LAYER_ORDER =
  'The order of layers. weights-first: the model is below the base image, so that nodes keep the weights when the base changes; base-first: above it; auto: below it if the model is larger than the base.';
const LAYER_TARGET =
  'Divide safetensors files above this size in fat and weights images, so that nodes fetch and unpack them in parallel. Off by default.';
const ENV =
  'Environment variables of slim and fat images, by name. No secrets: everyone who can pull an image can read them.';
const LABELS =
  'Labels of the image, by name, such as org.opencontainers.image.source; also set as annotations of its manifest.';
const PUBLISH = 'Registries by key: true to publish there, false not to.';

const FIT =
  'What to do if a model would not run on the vLLM of its base image. warn: report it; enforce: do not build its images; off: do not check.';
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
    .meta({ description: 'Take only files that match, instead of the built-in selection.' }),
  exclude: z.array(glob).optional().meta({ description: 'Leave out files that match.' }),
  allow_pickle: z.boolean().optional().meta({
    description: 'Allow pickle files, which can run code when they are loaded, in fat images. Default false.',
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
    .meta({ description: 'Folder in the image for caches of Hugging Face libraries (HF_HOME).' }),
  spdx_permissive_whitelist: unique(z.array(text(checkSpdxId, { pattern: SPDX_ID })))
    .default([...PERMISSIVE_LICENSES])
    .meta({
      description:
        'SPDX ids of licenses that permit a fat image, in upper or lower case. Replaces the whole default.',
    }),
  lineage: z
    .enum(['enforce', 'warn', 'off'], { error: 'must be enforce, warn or off' })
    .default('enforce')
    .meta({
      description:
        'Licenses of the models that a model was derived from (base_model). enforce: each must be on the whitelist; warn: report those that are not; off: do not check.',
    }),
  fit: fit.default('warn').meta({ description: FIT }),
  publish: publish.prefault({}).meta({ description: PUBLISH }),
  files: files.prefault({}).meta({ description: 'Which files of the repository go into the image.' }),
  tags: tags.optional().meta({ description: `${TAGS} Default: ${BUILT_IN_TAGS.join(', ')}.` }),
  variants: variants.default([...USUAL_VARIANTS]).meta({ description: VARIANTS_META }),
  modelpack: modelpack.default('raw').meta({ description: MODELPACK }),
  layer_order: layerOrder.default('auto').meta({ description: LAYER_ORDER }),
  layer_target: byteSize.optional().meta({ description: LAYER_TARGET }),
  env: env.prefault({}).meta({ description: ENV }),
  labels: labels.prefault({}).meta({ description: LABELS }),
});

const oci = z.strictObject({
  title: text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
    description: 'Label org.opencontainers.image.title. Default "vLLM + <name of the model>".',
  }),
  description: z
    .string()
    .default('Slim/Fat images; see /licenses')
    .meta({ description: 'Label org.opencontainers.image.description.' }),
  url: text(checkWebAddress, { format: 'uri' }).optional().meta({
    description: 'Label org.opencontainers.image.url. Default: the page of the model on the Hub.',
  }),
});

const id = text(checkHubId, { pattern: HUB_ID });
const revision = text(checkRevision, { pattern: REVISION })
  .nullable()
  .default(null)
  .meta({ description: 'Commit, branch or tag of the repository; null is the default branch.' });
const overrideSpdx = text(checkSpdxExpression, { pattern: SPDX_EXPRESSION })
  .nullable()
  .default(null)
  .meta({ description: 'SPDX id or expression that replaces the license on the Hub.' });

const adapter = z.strictObject({
  id: id.meta({ description: 'The repository of the adapter on the Hub.', examples: ['acme/sql-lora'] }),
  name: text(checkAdapterName, { pattern: ADAPTER_NAME, maxLength: MAX_SHORT_NAME_CHARACTERS }).meta({
    description: 'The model name for clients; also the name of its folder.',
    examples: ['sql'],
  }),
  revision,
  permissive: autoOrBoolean.default('auto').meta({
    description: "Whether the adapter's license permits a fat image with it, as for a model.",
  }),
  override_spdx: overrideSpdx,
});

const model = z.strictObject({
  id: id.meta({
    description: 'The repository on the Hugging Face Hub.',
    examples: ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B'],
  }),
  short: text(checkShort, { pattern: SHORT_NAME, maxLength: MAX_SHORT_NAME_CHARACTERS }).meta({
    description: 'Kebab-case name, unique in the file: images are <registry>/hf-<short>.',
  }),
  folder: text(checkShort, { pattern: SHORT_NAME, maxLength: MAX_SHORT_NAME_CHARACTERS }).optional().meta({
    description:
      'Folder of the model below download_root. Default: short. Entries of the same model with the same folder share their weight layers.',
  }),
  revision,
  permissive: autoOrBoolean.default('auto').meta({
    description:
      'Whether the license permits a fat image. auto: compare the license with the whitelist; true or false: decide it here.',
  }),
  override_spdx: overrideSpdx,
  gated: autoOrBoolean.default('auto').meta({
    description:
      'Whether users must request access to the model. auto: ask the Hub; true: treat it as gated; false does not override the Hub.',
  }),
  serve_args: z
    .array(z.union([text(checkArgument), z.number()], { error: 'must be text or a number' }))
    .default(['--host', '0.0.0.0', '--port', '8000'])
    .meta({ description: 'Arguments of "vllm serve", one item for each word. Replaces the whole default.' }),
  adapters: z.array(adapter).default([]).meta({
    description: 'LoRA adapters to serve with the model, each under its own name.',
  }),
  fit: fit.optional().meta({ description: `${FIT} Overrides defaults.fit.` }),
  oci: oci.prefault({}).meta({ description: 'Labels of the image.' }),
  publish: publish.prefault({}).meta({ description: `${PUBLISH} Overrides defaults.publish, key by key.` }),
  base_image: baseImage.optional().meta({ description: `${BASE_IMAGE} Overrides defaults.base_image.` }),
  arch: arch.optional().meta({ description: `${ARCH} Overrides defaults.arch.` }),
  download_root: absolutePath
    .optional()
    .meta({ description: `${DOWNLOAD_ROOT} Overrides defaults.download_root.` }),
  files: files.prefault({}).meta({
    description: 'Which files of the repository go into the image. Overrides defaults.files, key by key.',
  }),
  tags: tags.optional().meta({ description: 'Overrides defaults.tags, variant by variant.' }),
  variants: variants.optional().meta({ description: 'Overrides defaults.variants.' }),
  modelpack: modelpack.optional().meta({ description: 'Overrides defaults.modelpack.' }),
  layer_order: layerOrder.optional().meta({ description: 'Overrides defaults.layer_order.' }),
  layer_target: byteSize.optional().meta({ description: 'Overrides defaults.layer_target.' }),
  env: env.prefault({}).meta({ description: `${ENV} Overrides defaults.env, name by name.` }),
  labels: labels.prefault({}).meta({ description: `${LABELS} Overrides defaults.labels, name by name.` }),
});

const severities = unique(z.array(z.enum(SEVERITIES, { error: `must be one of ${SEVERITIES.join(', ')}` })));

const scan = z.strictObject({
  severity: severities
    .default(['CRITICAL', 'HIGH'])
    .meta({ description: 'Severities to report; other findings are only counted.' }),
  fail_on: severities.default([]).meta({ description: 'Severities that make "weighbridge scan" fail.' }),
  ignore_file: text(checkOneLine, { pattern: ONE_LINE })
    .nullable()
    .default(null)
    .meta({ description: 'A .trivyignore file, relative to this one, of findings to ignore.' }),
});

const DAYS = /^[1-9]\d{0,3}d$/;
const retention = z.strictObject({
  keep: z
    .int({ error: 'must be a whole number from 1' })
    .min(1, { error: 'must be at least 1: pruning everything would leave nothing to run' })
    .max(10_000, { error: 'must be at most 10000' })
    .default(3)
    .meta({ description: 'How many of the newest images of each variant "weighbridge prune" keeps.' }),
  younger_than: z
    .string({ error: 'must be a number of days, such as 30d' })
    .regex(DAYS, { error: 'must be a number of days, such as 30d' })
    .nullable()
    .default(null)
    .meta({
      description: 'Keep images that are younger than this too, and images whose age is not known.',
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
      .meta({ description: 'Settings of all models; a model may override them.', ...EXTENSIONS }),
    registries: z
      .object({})
      .catchall(
        z.union([registryPrefix, registryEntry], { error: 'must be a prefix, or a map with prefix in it' }),
      )
      .optional()
      .meta({ description: 'Registries by key: a prefix, host[:port]/path, to which hf-<short> is added.' }),
    layer_limits: z.object({}).catchall(byteSize).prefault({}).meta({
      description:
        'The largest layer that a registry accepts, by its key; the limits of GHCR (10 GB) and ECR are built in. A larger safetensors file is divided for the fat image; any other larger file excludes that image from the registry.',
    }),
    scan: scan.prefault({}).meta({ description: 'What "weighbridge scan" reports, and what makes it fail.' }),
    signing: signing.prefault({}).meta({
      description: 'Whether and how images are signed, and which signatures of models are checked.',
    }),
    vex: vex.default([]).meta({
      description: 'Statements on vulnerabilities in the images, published with them as OpenVEX.',
    }),
    retention: retention
      .prefault({})
      .meta({ description: 'What "weighbridge prune" keeps besides the tags of this file and its lock.' }),
    include: listOf(text(checkIncludePattern, { pattern: ONE_LINE, examples: ['models.d/*.yaml'] }))
      .optional()
      .meta({
        description:
          'More files with "models", as paths or patterns relative to the folder of this file. All other keys are allowed in this file only.',
      }),
    models: models.optional(),
  })
  .meta({
    title: 'models.yaml',
    description:
      'The models that Weighbridge publishes as container images. Keys that begin with "x-" are ignored, here, in "defaults" and in each model.',
    anyOf: [{ required: ['models'] }, { required: ['include'] }],
    ...EXTENSIONS,
  });

/** The content of a `models.yaml` once its fields are checked one by one, with their defaults. */
export type ConfigFile = z.infer<typeof configFile>;
