import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { ACTIONS } from './actions.ts';
import { type Contexts, evaluateIf, evaluateValue, type Functions, textOf } from './expressions.ts';
import type { JobRun, JobYaml, Permissions, StepRun, StepYaml, World } from './types.ts';

export interface JobCall {
  readonly id: string;
  readonly job: JobYaml;
  /** github, inputs, needs, matrix, secrets, vars, env (of the workflow). */
  readonly contexts: Contexts;
  readonly world: World;
}

type Env = Record<string, string>;

/** Runs the steps of one job as a runner does: a fresh workspace, environment files, masked secrets. */
export async function runJob({ id, job, contexts, world }: JobCall): Promise<JobRun> {
  const workspace = await mkdtemp(path.join(world.folder, `work-${id}-`));
  const state = new JobState(workspace, world, job, contexts);
  const jobEnv = {
    ...state.variables(),
    ...evaluateAll(contexts.env, contexts),
    ...evaluateAll(job.env, contexts),
  };
  await state.runSteps(job.steps ?? [], { ...contexts, env: jobEnv }, jobEnv);
  const stepsContext = { ...contexts, steps: state.steps };
  const outputs = Object.entries(job.outputs ?? {}).map(([name, text]) => [
    name,
    textOf(evaluateValue(text, stepsContext)),
  ]);
  return {
    id,
    name: textOf(evaluateValue(job.name ?? id, contexts)),
    result: state.hasFailed ? 'failure' : 'success',
    steps: state.runs,
    summary: state.mask(state.summary),
    // GitHub drops an output that has a secret of the job in it.
    outputs: Object.fromEntries(outputs.filter(([, value]) => state.mask(value ?? '') === value)),
    sarif: state.sarif,
    runsOn: evaluateValue(job['runs-on'], contexts),
  };
}

class JobState {
  readonly steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  readonly runs: StepRun[] = [];
  readonly sarif: unknown[] = [];
  summary = '';
  hasFailed = false;
  readonly #workspace: string;
  readonly #world: World;
  readonly #secrets: readonly string[];
  readonly #permissions: Permissions;
  readonly #github: Readonly<Record<string, string>>;
  readonly #path: string[];
  #count = 0;

  constructor(workspace: string, world: World, job: JobYaml, contexts: Contexts) {
    this.#workspace = workspace;
    this.#world = world;
    this.#secrets = secretsOf(job, contexts);
    this.#permissions = job.permissions ?? {};
    this.#github = contexts.github as Readonly<Record<string, string>>;
    this.#path = [...world.path, '/usr/local/bin', '/usr/bin', '/bin', path.dirname(process.execPath)];
  }

  /** The variables of every job, and of them nothing of the machine that the test runs on. */
  variables(): Env {
    const { name, event, env, folder, api } = this.#world;
    return {
      ...env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: name,
      GITHUB_SHA: this.#github.sha ?? '',
      GITHUB_REF_NAME: this.#github.ref_name ?? '',
      ...(api && { GITHUB_API_URL: api.url }),
      GITHUB_REPOSITORY_OWNER: name.split('/')[0] ?? '',
      GITHUB_ACTOR: 'octocat',
      GITHUB_EVENT_NAME: event.name,
      GITHUB_EVENT_PATH: path.join(folder, 'event.json'),
      GITHUB_WORKSPACE: this.#workspace,
      RUNNER_TEMP: folder,
      HOME: env.HOME ?? folder,
    };
  }

  mask(text: string): string {
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
  }

  async runSteps(steps: readonly StepYaml[], contexts: Contexts, env: Env): Promise<void> {
    for (const step of steps) {
      const now = { ...contexts, steps: this.steps };
      const name = textOf(evaluateValue(step.name ?? step.uses ?? step.run, now));
      if (!evaluateIf(step.if, now, this.#functions())) {
        this.#note(step, { name, outcome: 'skipped', log: '' }, {});
        continue;
      }
      const { log, isDone, outputs } = await this.#runStep(step, now, env);
      const outcome = isDone ? 'success' : 'failure';
      this.hasFailed ||= !isDone && step['continue-on-error'] !== true;
      this.#note(step, { name, outcome, log: this.mask(log) }, outputs);
    }
  }

  async #runStep(step: StepYaml, contexts: Contexts, env: Env) {
    const stepEnv = { ...env, ...evaluateAll(step.env, contexts) };
    const inputs = evaluateAll(step.with, contexts);
    const outputs: Record<string, string> = {};
    try {
      if (step.run !== undefined) {
        const script = textOf(evaluateValue(step.run, contexts));
        const { status, log } = await this.#shell(script, stepEnv, outputs);
        return { log, isDone: status === 0, outputs };
      }
      const uses = step.uses ?? '';
      if (uses.startsWith('./'))
        return { ...(await this.#composite(uses, inputs, contexts, stepEnv)), outputs };
      const [name = '', ref = ''] = uses.split('@');
      if (!/^[0-9a-f]{40}$/.test(ref)) throw new Error(`${uses} is not pinned by a commit`);
      const action = ACTIONS[name];
      if (action === undefined) throw new Error(`no stand-in for ${name}`);
      await action({
        name,
        inputs,
        workspace: this.#workspace,
        world: this.#world,
        permissions: this.#permissions,
        sarif: this.sarif,
        addPath: added => this.#path.unshift(added),
      });
      return { log: '', isDone: true, outputs };
    } catch (error) {
      return { log: String(error), isDone: false, outputs };
    }
  }

  async #composite(
    uses: string,
    given: Env,
    contexts: Contexts,
    env: Env,
  ): Promise<{ log: string; isDone: boolean }> {
    const folder = path.join(this.#workspace, uses);
    const action = parse(await readFile(path.join(folder, 'action.yml'), 'utf8'));
    const defaults = Object.entries(action.inputs ?? {}).map(([name, input]) => [
      name,
      textOf((input as { default?: unknown }).default),
    ]);
    const inputs = { ...Object.fromEntries(defaults), ...given };
    const before = this.runs.length;
    await this.runSteps(action.runs.steps, { ...contexts, inputs }, { ...env, GITHUB_ACTION_PATH: folder });
    const inner = this.runs.slice(before);
    return { log: inner.map(run => run.log).join(''), isDone: inner.every(run => run.outcome !== 'failure') };
  }

  async #shell(
    script: string,
    env: Env,
    outputs: Record<string, string>,
  ): Promise<{ status: number | null; log: string }> {
    const files = path.join(this.#world.folder, `step-${path.basename(this.#workspace)}-${++this.#count}`);
    await mkdir(files);
    const file = (name: string): string => path.join(files, name);
    for (const name of ['output', 'env', 'path', 'summary']) await writeFile(file(name), '');
    await writeFile(file('script.sh'), script);
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file('script.sh')], {
      cwd: this.#workspace,
      env: {
        ...env,
        PATH: this.#path.join(':'),
        GITHUB_OUTPUT: file('output'),
        GITHUB_ENV: file('env'),
        GITHUB_PATH: file('path'),
        GITHUB_STEP_SUMMARY: file('summary'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    const status = await new Promise<number | null>(resolve => child.once('close', resolve));
    for (const line of (await readFile(file('output'), 'utf8')).split('\n')) {
      const equals = line.indexOf('=');
      if (equals > 0) outputs[line.slice(0, equals)] = line.slice(equals + 1);
    }
    this.#path.unshift(...(await readFile(file('path'), 'utf8')).split('\n').filter(line => line !== ''));
    this.summary += await readFile(file('summary'), 'utf8');
    return { status, log };
  }

  #note(step: StepYaml, run: StepRun, outputs: Record<string, string>): void {
    this.runs.push(run);
    if (step.id !== undefined) this.steps[step.id] = { outputs, outcome: run.outcome };
  }

  #functions(): Functions {
    return {
      success: () => !this.hasFailed,
      failure: () => this.hasFailed,
      always: () => true,
      cancelled: () => false,
      hashfiles: (...patterns) =>
        patterns.some(pattern => globSync(pattern, { cwd: this.#workspace }).length > 0) ? 'a-hash' : '',
    };
  }
}

function evaluateAll(values: unknown, contexts: Contexts): Env {
  const entries = Object.entries((values ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [name, textOf(evaluateValue(value, contexts))]));
}

/** A job is sent the secrets that it names, and these are what its output is searched for. */
function secretsOf(job: JobYaml, contexts: Contexts): string[] {
  const secrets = contexts.secrets as Readonly<Record<string, string>>;
  const named = [...JSON.stringify(job).matchAll(/secrets\.(\w+)/g)].map(
    match => secrets[match[1] ?? ''] ?? '',
  );
  return named.filter(value => value !== '');
}
