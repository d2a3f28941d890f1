import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { runOk } from '../../../support/tools.ts';
import { type Contexts, evaluateIf, evaluateValue, type Functions, textOf } from './expressions.ts';
import { runJob } from './job.ts';
import type { JobRun, JobYaml, Permissions, WorkflowYaml, World } from './types.ts';

const PROJECT = 'weighbridge/project';
const COMMIT = '0123456789012345678901234567890123456789';

/** Runs a workflow of the repository for the world's event, and the reusable one that it calls. Gives every job, skipped ones too. */
export async function runWorkflow(file: string, world: World): Promise<readonly JobRun[]> {
  const workflow = parse(await readFile(path.join(world.repository, file), 'utf8')) as WorkflowYaml;
  await writeFile(path.join(world.folder, 'event.json'), JSON.stringify(world.event.payload));
  const github = {
    event: world.event.payload,
    event_name: world.event.name,
    repository: world.name,
    ref: 'refs/heads/main',
    ref_name: 'main',
    sha: (await runOk('git', ['-C', world.repository, 'rev-parse', 'HEAD'])).trim(),
    workflow: 'Publish',
  };
  const contexts: Contexts = {
    github,
    vars: world.vars,
    inputs: world.event.payload.inputs ?? {},
    secrets: world.secrets,
    job: { workflow_repository: PROJECT, workflow_sha: COMMIT },
    env: {},
    matrix: {},
    needs: {},
  };
  return await runJobs(workflow, contexts, world);
}

async function runJobs(workflow: WorkflowYaml, contexts: Contexts, world: World): Promise<JobRun[]> {
  const all: JobRun[] = [];
  const finished = new Map<string, JobRun[]>();
  const env = { ...(contexts.env as object), ...evaluated(workflow.env, contexts) };
  // In the file's order, which is that of their needs.
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const needs = [job.needs ?? []].flat();
    const known = {
      ...contexts,
      env,
      needs: Object.fromEntries(needs.map(need => [need, needOf(finished.get(need) ?? [])])),
    };
    const results = needs.map(need => needOf(finished.get(need) ?? []).result);
    const runs = await runWithMatrix(id, job, known, results, world);
    finished.set(id, runs);
    all.push(...runs);
  }
  return all;
}

async function runWithMatrix(
  id: string,
  job: JobYaml,
  contexts: Contexts,
  results: readonly string[],
  world: World,
): Promise<JobRun[]> {
  const functions: Functions = {
    success: () => results.every(result => result === 'success'),
    failure: () => results.includes('failure'),
    always: () => true,
    cancelled: () => false,
  };
  if (!evaluateIf(job.if, contexts, functions)) {
    return [{ id, name: id, result: 'skipped', steps: [], summary: '', outputs: {}, sarif: [] }];
  }
  if (job.uses !== undefined) return await callWorkflow(job, contexts, world);
  const { permissions = {} } = job;
  const token = world.api?.tokenFor(permissions) ?? 'ghs_of_the_job';
  contexts = { ...contexts, github: { ...(contexts.github as object), token } };
  const matrix = evaluateValue(job.strategy?.matrix, contexts) as { include: object[] } | undefined;
  const runs: JobRun[] = [];
  for (const entry of matrix?.include ?? [{}]) {
    runs.push(await runJob({ id, job, contexts: { ...contexts, matrix: entry }, world }));
  }
  return runs;
}

/** A called workflow sees the caller's inputs and secrets only as far as they are handed over. */
async function callWorkflow(job: JobYaml, contexts: Contexts, world: World): Promise<JobRun[]> {
  const file = path.join(
    world.project,
    '.github/workflows',
    path.basename((job.uses ?? '').split('@')[0] ?? ''),
  );
  const called = parse(await readFile(file, 'utf8')) as WorkflowYaml;
  const { inputs = {} } = (called.on as { workflow_call: { inputs?: Record<string, { default?: unknown }> } })
    .workflow_call;
  const defaults = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.default]));
  for (const [id, { permissions }] of Object.entries(called.jobs)) {
    requireWithin(`${path.basename(file)}, job ${id}`, permissions ?? {}, job.permissions ?? {});
  }
  const given = Object.entries(evaluated(job.with, contexts));
  for (const [name] of given) if (!(name in inputs)) throw new Error(`${file} has no input ${name}`);
  const secrets = Object.entries(job.secrets ?? {}).map(([name, value]) => [
    name,
    textOf(evaluateValue(value, contexts)),
  ]);
  return await runJobs(
    called,
    {
      ...contexts,
      inputs: { ...defaults, ...Object.fromEntries(given) },
      secrets: Object.fromEntries(secrets),
    },
    world,
  );
}

/** GitHub starts no run in which a called workflow asks for more than its caller has. */
function requireWithin(name: string, wanted: Permissions, given: Permissions): void {
  const levels = [undefined, 'none', 'read', 'write'];
  for (const [scope, access] of Object.entries(wanted)) {
    if (levels.indexOf(access) > levels.indexOf(given[scope]))
      throw new Error(`${name} asks for ${scope}: ${access}, and its caller has ${given[scope] ?? 'none'}`);
  }
}

function needOf(runs: readonly JobRun[]): { result: string; outputs: object } {
  const results = runs.map(run => run.result);
  const result = results.includes('failure') ? 'failure' : (results[0] ?? 'skipped');
  return { result, outputs: Object.assign({}, ...runs.map(run => run.outputs)) };
}

function evaluated(
  values: Readonly<Record<string, unknown>> | undefined,
  contexts: Contexts,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, evaluateValue(value, contexts)]),
  );
}
