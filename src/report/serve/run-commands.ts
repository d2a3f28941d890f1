import { holdsWeights } from '../../config/variants.ts';
import { isLoopbackHost } from '../../http/hosts.ts';
import type { ModelAccess } from '../../image/format/labels.ts';
import { parseReference } from '../../oci/reference.ts';

/** What it takes to run an image by hand. */
export interface RunnableImage {
  /** Full reference, with a tag or digest. */
  readonly reference: string;
  /** `hf-x`, for names. */
  readonly name: string;
  readonly variant: string;
  readonly port: number;
  /** `/models/x`: where the model is in the image, or in the volume. */
  readonly dir: string;
  /** Bytes of the model, for the size of a volume; undefined if it is not known. */
  readonly modelBytes: number | undefined;
  /** Who may fetch the model; undefined if anyone may, or if the image has it. */
  readonly access?: ModelAccess | undefined;
}

/** Returns the command line that pulls an image. */
export function pullCommand(engine: 'docker' | 'podman', reference: string): string {
  return [engine, 'pull', ...plainHttp(engine, reference), reference].join(' ');
}

/** Returns the command that fetches the files of a ModelPack artifact. */
export function pullModelPack(reference: string): string {
  return `modctl pull ${reference} --extract-dir model`;
}

/** Returns a command to paste into a shell. A slim image keeps its model in the volume `models`. */
export function runCommand(engine: 'docker' | 'podman', image: RunnableImage): string {
  const { reference, variant, port, dir } = image;
  const gpu = engine === 'docker' ? '--gpus all' : '--device nvidia.com/gpu=all';
  const lines = [
    [`${engine} run --rm`, gpu, '--ipc=host', `-p ${port}:${port}`, ...plainHttp(engine, reference)].join(
      ' ',
    ),
    ...(holdsWeights(variant) ? [] : [`-v models:${rootOf(dir)} -e HF_TOKEN`]),
    reference,
  ];
  return lines.join(' \\\n  ');
}

/** Returns the folder that a folder is in: `/models` of `/models/x`. */
function rootOf(dir: string): string {
  return dir.slice(0, dir.lastIndexOf('/')) || '/';
}

/** Docker knows on its own that a registry on this machine has no TLS; podman has to be told. */
function plainHttp(engine: 'docker' | 'podman', reference: string): string[] {
  const host = new URL(`http://${parseReference(reference).registry}`).hostname;
  return engine === 'podman' && isLoopbackHost(host) ? ['--tls-verify=false'] : [];
}
