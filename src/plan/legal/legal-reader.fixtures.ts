import { parseConfig } from '../../config/load-config.ts';
import { HttpClient } from '../../http/client.ts';
import { createHub } from '../../hub/create-hub.ts';
import { loadSpdxText } from '../../spdx/spdx-texts.ts';
import { type EmbeddedHub, startHub } from '../../testkit/hub.ts';
import { makePlan } from '../make-plan.ts';
import type { Plan, PlannedModel } from '../types.ts';

export const APACHE = (await loadSpdxText('Apache-2.0')) ?? '';
export const LLAMA =
  'LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nLlama 3.1 Version Release Date: July 23, 2024\n';
export const card = (license: string, ...bases: string[]): string =>
  `---\nlicense: ${license}\n${bases.length === 0 ? '' : `base_model:\n${bases.map(base => `  - ${base}\n`).join('')}`}---\n`;

export interface World {
  readonly hub: EmbeddedHub;
  add(id: string, files: Readonly<Record<string, string>>): Promise<void>;
  plan(ids: readonly string[], more?: string): Promise<Plan>;
}

export async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const hub = await startHub();
  const http = new HttpClient({ retry: { baseMs: 1, attempts: 2 } });
  try {
    await work({
      hub,
      add: async (id, files) => {
        await hub.addModel({ id, files: { 'model.safetensors': id, ...files } });
      },
      plan: async (ids, more = '') => {
        const models = ids.map((id, index) => `  - { id: "${id}", short: m${index} }\n`).join('');
        const config = parseConfig(`${more}models:\n${models}`, 'models.yaml');
        return await makePlan(config, config.models, {
          hub: createHub({ endpoint: hub.url, http }),
          targets: 'none',
          overrides: {},
          env: {},
        });
      },
    });
  } finally {
    http.close();
    await hub.close();
  }
}

export function only({ models }: Plan): PlannedModel {
  const [model] = models;
  if (model?.kind !== 'planned') throw model?.error ?? new TypeError('no model');
  return model;
}

export const asked = (hub: EmbeddedHub, pattern: RegExp): number =>
  hub.log.filter(({ path }) => pattern.test(path)).length;
