import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { IS_LONG } from '../support/long.ts';
import { requireToolAsRoot } from '../support/tools.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { ACCESS } from './slim/access.cases.ts';
import { COST } from './slim/cost.cases.ts';
import { FAT } from './slim/fat.cases.ts';
import { HUB_FAULTS } from './slim/hub-faults.cases.ts';
import { KUBERNETES } from './slim/kubernetes.cases.ts';
import { LIBRARY } from './slim/library.cases.ts';
import { RUN } from './slim/run.cases.ts';
import { START } from './slim/start.cases.ts';
import { type CaseRow, caseTable } from './slim/table.ts';
import { VOLUME } from './slim/volume.cases.ts';
import { BASES, NEWEST, SlimWorld } from './slim/world.ts';
import { XET } from './slim/xet.cases.ts';

// The slim image as an operator meets it: published by `weighbridge publish`, run by podman, with a Hub that has bad
// days. WEIGHBRIDGE_LONG=1 runs all cases with all libraries; without it, some with one.

const GROUPS = [LIBRARY, HUB_FAULTS, ACCESS, XET, VOLUME, START, FAT, KUBERNETES, RUN, COST];
const missing = requireToolAsRoot(...CONTAINER_TOOLS, 'python3');

describe('a slim image in containers', { skip: missing, concurrency: false }, () => {
  let world: SlimWorld;
  const rows: CaseRow[] = [];

  before(async () => {
    world = await SlimWorld.start(IS_LONG ? Object.keys(BASES) : [NEWEST]);
  });

  after(async () => {
    if (rows.length > 0) process.stdout.write(`${caseTable(rows)}\n`);
    await world?.[Symbol.asyncDispose]();
  });

  for (const { title, cases } of GROUPS) {
    for (const one of cases.filter(({ isShort }) => IS_LONG || isShort)) {
      test(`${title}: ${one.name}`, async () => {
        const began = performance.now();
        const row = (seen: string, isGreen: boolean) =>
          rows.push({
            group: title,
            name: one.name,
            seen,
            seconds: (performance.now() - began) / 1000,
            isGreen,
          });
        try {
          row(await one.run(world), true);
        } catch (error) {
          row(String(error), false);
          throw error;
        }
        assert.equal(world.hub.leakedTokens, 0);
      });
    }
  }
});
