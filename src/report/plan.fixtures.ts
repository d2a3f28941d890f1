import { createHash } from 'node:crypto';
import { parseConfig } from '../config/load-config.ts';
import { HubError } from '../core/errors.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan, PlannedModel } from '../plan/types.ts';

export const REVISION = '0123456789abcdef0123456789abcdef01234567';
export const SHA256 = 'ab'.repeat(32);
const CONFIG = Buffer.from('{}'.padEnd(700));
export const GIT_OID = createHash('sha1').update(`blob ${CONFIG.length}\0`).update(CONFIG).digest('hex');

const FILE = `
registries: { ghcr: ghcr.io/acme, lab: localhost:5000/models }
models:
  - { id: acme/open, short: open }
  - { id: meta/gated, short: gated }
  - { id: acme/absent, short: absent }
`;

const FILES: readonly HubFile[] = [
  { path: 'config.json', sizeBytes: 700, gitOid: GIT_OID },
  { path: 'model.safetensors', sizeBytes: 3 * 1024 ** 3, sha256: SHA256, gitOid: GIT_OID },
];

/** For two registries: an open model, a gated one, and one that the Hub does not know. */
export async function samplePlan(changes: Partial<ModelSnapshot> = {}): Promise<Plan> {
  const config = parseConfig(FILE, 'models.yaml');
  return await makePlan(config, config.models, {
    hub: fakeHub(changes),
    targets: 'required',
    overrides: {},
    env: {},
  });
}

export function plannedOf(plan: Plan, short: string): PlannedModel {
  const planned = plan.models.find(entry => entry.model.short === short);
  if (planned?.kind !== 'planned') throw new TypeError(`${short} is not planned`);
  return planned;
}

/** The decisions of a model that lists no other variants. */
export function usualDecisions({ outcome }: PlannedModel): object {
  const { slim, fat } = outcome.decisions;
  return { slim, fat };
}

/** What the JSON documents say first of a model of `samplePlan` that is there. */
export function headOf(short: 'open' | 'gated'): object {
  return short === 'open'
    ? { id: 'acme/open', short, revision: REVISION, license: 'Apache-2.0' }
    : { id: 'meta/gated', short, revision: REVISION, license: 'LicenseRef-llama3.1' };
}

/** What they say of the model that the Hub does not know. */
export const ABSENT_HEAD = {
  id: 'acme/absent',
  short: 'absent',
  revision: null,
  decisions: null,
  images: [],
};
export const ABSENT_ERROR = {
  code: 'HUB_NOT_FOUND',
  message: 'the Hub knows no model acme/absent',
  subject: 'acme/absent',
  remedy: 'Check the spelling of `id`, or set HF_TOKEN if it is private.',
};

function fakeHub(changes: Partial<ModelSnapshot>): Hub {
  return {
    endpoint: 'https://hub.example',
    whoAmI: async () => undefined,
    async getModel(id) {
      if (id === 'acme/absent') {
        throw new HubError('the Hub knows no model acme/absent', {
          code: 'HUB_NOT_FOUND',
          subject: id,
          remedy: 'Check the spelling of `id`, or set HF_TOKEN if it is private.',
        });
      }
      const isGated = id === 'meta/gated';
      return {
        id,
        requestedId: id,
        revision: REVISION,
        gated: isGated ? 'manual' : false,
        isPrivate: false,
        license: isGated
          ? { license: 'other', licenseName: 'llama3.1', licenseLink: 'LICENSE' }
          : { license: 'apache-2.0', licenseName: null, licenseLink: null },
        tags: [],
        baseModels: [],
        files: FILES,
        ...changes,
      };
    },
    openFile(_, { path }) {
      if (path !== 'config.json') throw new TypeError(`a plan does not read ${path}`);
      return {
        name: path,
        sizeBytes: CONFIG.length,
        async *open() {
          yield CONFIG;
        },
      };
    },
  };
}
