import { plainLine } from '../core/safe-text.ts';

/** Software of a base image, and its terms. */
export interface BasePart {
  readonly name: string;
  /** An SPDX expression. */
  readonly spdx: string;
  /** Where the text is: in the image. */
  readonly text: string;
}

const VLLM: BasePart = {
  name: 'vLLM',
  spdx: 'Apache-2.0',
  text: 'licenses/LICENSE in the folder vllm-*.dist-info of its Python packages',
};
/** The images of vLLM are built on nvidia/cuda, which says so when it starts. */
const CUDA: BasePart = {
  name: 'CUDA and the libraries of NVIDIA',
  spdx: 'LicenseRef-NVIDIA-Deep-Learning-Container-License',
  text: '/NGC-DL-CONTAINER-LICENSE',
};

/** By repository, as references to it are written in full. */
const KNOWN: readonly (readonly [RegExp, readonly BasePart[]])[] = [
  [/^docker\.io\/vllm\/vllm-openai$/, [VLLM, CUDA]],
  [/^docker\.io\/vllm\/vllm-openai-(?:cpu|rocm|xpu|tpu)$/, [VLLM]],
  [/^docker\.io\/rocm\/vllm(?:-dev)?$/, [VLLM]],
  [/^public\.ecr\.aws\/q9t5s3a7\/vllm-release-repo$/, [VLLM, CUDA]],
  [/^public\.ecr\.aws\/q9t5s3a7\/vllm-cpu-release-repo$/, [VLLM]],
  [/^nvcr\.io\/nvidia\/vllm$/, [VLLM, CUDA]],
];

/** Returns the software in a base image whose terms are known; none for an image that is not in the table. */
export function knownParts(reference: string): readonly BasePart[] {
  const repository = reference.replace(/@sha256:[0-9a-f]+$/, '').replace(/:[\w.-]+$/, '');
  const [host = '', ...rest] = repository.split('/');
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(host);
  const full = isHost
    ? repository.replace(/^(?:index\.|registry-1\.)docker\.io\//, 'docker.io/')
    : `docker.io/${repository}`;
  return KNOWN.find(([name]) => name.test(full))?.[1] ?? [];
}

/** Returns the lines of a notice about a part of the base image: `vLLM: Apache-2.0; text: …` */
export function partLines(parts: readonly BasePart[]): string[] {
  return parts.flatMap(({ name, spdx, text }, index) => [
    `   ${index === 0 ? 'Contains:' : '         '}  ${plainLine(name)}: ${spdx}`,
    `              text: ${text}`,
  ]);
}
