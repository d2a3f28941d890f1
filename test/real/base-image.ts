import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { runOk } from '../support/tools.ts';

const STAND_IN = path.join(import.meta.dirname, 'vllm_stand_in.py');

const ENTRYPOINTS = {
  /** As in newer vLLM images. */
  'vllm-serve': ['vllm', 'serve'],
  /** As in older vLLM images: it refuses the word `serve`. */
  'api-server': ['python3', '-m', 'vllm.entrypoints.openai.api_server'],
} as const;

export interface BaseImageOptions {
  readonly entrypoint?: keyof typeof ENTRYPOINTS;
  /** A version on PyPI, or `none` for a base without the library. */
  readonly huggingfaceHub?: string;
  /** Whether hf_xet may be there, which newer versions of the library bring along. Default true. */
  readonly hasXet?: boolean;
  /** The image's `User`. Default: none, which is root. */
  readonly user?: string;
  /** The real vLLM of this version in place of the stand-in: it has to be mounted at `ENGINE_FOLDER` (scripts/install-vllm.sh). */
  readonly vllm?: string;
}

/** Where a container has vLLM's Python packages, a folder a version. */
export const ENGINE_FOLDER = '/opt/vllm';

export interface BaseImage {
  /** A folder in the OCI image layout format with one image of the machine's platform. */
  readonly ociLayout: string;
  readonly tag: string;
}

interface Layer {
  readonly file: string;
  readonly digest: string;
  readonly diffId: string;
  readonly sizeBytes: number;
}

/**
 * A small image that runs: Debian with Python 3, huggingface_hub, and a stand-in for vLLM (`vllm_stand_in.py`).
 * Kept in the cache folder until its recipe changes. Needs root, mmdebstrap and pip.
 */
export async function buildBaseImage(options: BaseImageOptions = {}): Promise<BaseImage> {
  const hub = options.huggingfaceHub ?? '0.36.0';
  const codename = osCodename();
  const engine = options.vllm === undefined ? STAND_IN_LAYER : ENGINE_LAYER;
  const recipe = [DEBIAN, PACKAGES, engine, ENTRYPOINTS, readFileSync(STAND_IN, 'utf8')];
  const tag = 'base';
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'weighbridge-tests');
  const ociLayout = path.join(cache, `base-${shortHash([recipe, options, hub, codename])}`);
  if (existsSync(ociLayout)) return { ociLayout, tag };
  await mkdir(cache, { recursive: true });

  const packages =
    options.vllm === undefined ? DEBIAN : DEBIAN.replace(',ca-certificates', '$&,libstdc++6,libnuma1');
  const debian = await once(cache, 'debian', packages, [codename, ...aptSources()]);
  const python = pythonVersionIn(debian);
  const layers = [await readLayer(debian)];
  if (hub !== 'none') {
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const without = options.hasXet === false ? ['hf_xet'] : [];
    const args = [hub, python, machine, ...without];
    layers.push(await readLayer(await once(cache, 'huggingface_hub', PACKAGES, args)));
  }
  const staging = await mkdtemp(path.join(cache, 'building-'));
  try {
    const standIn = path.join(staging, 'stand-in.tar.gz');
    const source = options.vllm ?? STAND_IN;
    await runOk('bash', ['-euo', 'pipefail', '-c', engine, 'bash', standIn, source, python]);
    layers.push(await readLayer(standIn));
    await writeLayout(path.join(staging, 'layout'), tag, layers, imageConfig(layers, options));
    await rename(path.join(staging, 'layout'), ociLayout).catch(error => {
      if (!existsSync(ociLayout)) throw error; // another test process was faster: theirs is the same
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return { ociLayout, tag };
}

/** Copies the image into a registry that speaks plain HTTP, e.g. to `localhost:5000/base/vllm:v0.6.0`. */
export async function pushBase(base: BaseImage, reference: string): Promise<void> {
  const from = `oci:${base.ociLayout}:${base.tag}`;
  await runOk('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', from, `docker://${reference}`]);
}

const DEBIAN = `
target=$1; shift
mmdebstrap --quiet --variant=essential --include=python3,ca-certificates \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' "$1" - "\${@:2}" | gzip -n1 > "$target"`;

const TAR =
  'tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$folder" -cf - . | gzip -n1 > "$target"';

/** Pip's own tags say which wheels fit the image's Python, whatever Python the machine has. */
const PACKAGES = `
target=$1 hub=$2 python=$3 machine=$4 without=\${5:-bin}
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; chmod 755 "$folder"
python3 -m pip install --quiet --disable-pip-version-check --no-compile --only-binary=:all: --implementation cp \
  --python-version "$python" --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" \
  --target "$folder/usr/local/lib/python$python/dist-packages" "huggingface_hub==$hub"
rm -rf "$folder"/usr/local/lib/python*/dist-packages/{bin,$without,$without-*}
${TAR}`;

const STAND_IN_LAYER = `
target=$1 source=$2 python=$3
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; chmod 755 "$folder"
home=/usr/local/lib/vllm-stand-in packages=/usr/local/lib/python$python/dist-packages
mkdir -p "$folder$home/vllm/entrypoints/openai" "$folder$packages" "$folder/usr/local/bin" "$folder/vllm-workspace"
install -m 755 "$source" "$folder$home/vllm_stand_in.py"
ln -s "$home/vllm_stand_in.py" "$folder/usr/local/bin/vllm"
touch "$folder$home"/vllm/{,entrypoints/,entrypoints/openai/}__init__.py
echo 'import sys, vllm_stand_in; vllm_stand_in.main(sys.argv[1:], is_module=True)' \
  > "$folder$home/vllm/entrypoints/openai/api_server.py"
echo "$home" > "$folder$packages/vllm-stand-in.pth"
${TAR}`;

/** `vllm` alone; the rest is mounted. */
const ENGINE_LAYER = `
target=$1 version=$2
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; chmod 755 "$folder"
mkdir -p "$folder/usr/local/bin" "$folder/vllm-workspace" "$folder${ENGINE_FOLDER}"
printf '#!/bin/sh\\nexec /usr/bin/env PYTHONPATH=${ENGINE_FOLDER}/%s /usr/bin/python3 -P -m vllm.entrypoints.cli.main "$@"\\n' "$version" \
  > "$folder/usr/local/bin/vllm"
chmod 755 "$folder/usr/local/bin/vllm"
${TAR}`;

/** A cached file made by a script. The lock is the kernel's, so that a killed test run leaves none behind. */
async function once(cache: string, name: string, script: string, args: readonly string[]): Promise<string> {
  const target = path.join(cache, `${name}-${shortHash([script, args])}.tar.gz`);
  const guarded = `test -e "$0" && exit 0; rm -f "$1"; (${script}\n); mv "$1" "$0"`;
  const bash = ['bash', '-euo', 'pipefail', '-c', guarded, target, `${target}.part`, ...args];
  // A distribution is fetched here, or another process is waited for that does it.
  if (!existsSync(target)) await runOk('flock', [`${target}.lock`, ...bash], { timeoutMs: 15 * 60_000 });
  return target;
}

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function osCodename(): string {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (codename === undefined)
    throw new Error('cannot tell the Debian release: /etc/os-release has no VERSION_CODENAME');
  return codename;
}

/** Where this machine gets Debian packages from; with none of these files, mmdebstrap's own default. */
function aptSources(): string[] {
  return ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']
    .filter(file => existsSync(file) && readFileSync(file, 'utf8').trim() !== '')
    .slice(0, 1);
}

function pythonVersionIn(debian: string): string {
  const list = spawnSync('tar', ['-tzf', debian], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const version = /usr\/bin\/python(3\.\d+)$/m.exec(list.stdout)?.[1];
  if (version === undefined) throw new Error(`no Python 3 in ${debian}`);
  return version;
}

async function readLayer(file: string): Promise<Layer> {
  const [stored, unpacked] = [createHash('sha256'), createHash('sha256')];
  let sizeBytes = 0;
  const input = createReadStream(file).on('data', chunk => {
    sizeBytes += chunk.length;
    stored.update(chunk);
  });
  await pipeline(input, createGunzip(), unpacked);
  return { file, sizeBytes, digest: stored.digest('hex'), diffId: unpacked.digest('hex') };
}

function imageConfig(layers: readonly Layer[], options: BaseImageOptions): object {
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...(options.vllm === undefined ? ['VLLM_USAGE_SOURCE=stand-in'] : ENGINE_ENV),
      ],
      Entrypoint: ENTRYPOINTS[options.entrypoint ?? 'api-server'],
      WorkingDir: '/vllm-workspace',
      Labels: {
        'org.opencontainers.image.title':
          options.vllm === undefined ? 'vLLM stand-in for tests' : 'vLLM for tests',
      },
      ...(options.user === undefined ? {} : { User: options.user }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => `sha256:${layer.diffId}`) },
    history: layers.map(layer => ({
      created: '1970-01-01T00:00:00Z',
      created_by: path.basename(layer.file),
    })),
  };
}

/** A GiB for its cache is what small machines have; nobody is told of its use. */
const ENGINE_ENV = ['VLLM_CPU_KVCACHE_SPACE=1', 'VLLM_NO_USAGE_STATS=1', 'VLLM_TARGET_DEVICE=cpu'];

async function writeLayout(
  folder: string,
  tag: string,
  layers: readonly Layer[],
  config: object,
): Promise<void> {
  const blobs = path.join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  for (const layer of layers) {
    const blob = path.join(blobs, layer.digest);
    await link(layer.file, blob).catch(() => copyFile(layer.file, blob));
  }
  const putJson = async (mediaType: string, value: object): Promise<object> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(path.join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const manifest = await putJson('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: await putJson('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map(layer => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: `sha256:${layer.digest}`,
      size: layer.sizeBytes,
    })),
  });
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } };
  await writeFile(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(path.join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}
