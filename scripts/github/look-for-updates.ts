// Writes what `weighbridge update` would change as proposals of pull requests:
//   CONFIG=models.yaml GROUP=model BASE=true node look-for-updates.ts proposals.json
import { spawn } from 'node:child_process';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { required, runStep, say } from './api.ts';
import { BRANCH_PREFIX, type Proposal, type Proposals } from './types.ts';

interface UpdateJson {
  readonly models: readonly {
    readonly short: string;
    readonly status: 'moved' | 'same' | 'kept';
    readonly error?: object;
    readonly commit?: { readonly to: string };
  }[];
}

const SHORT_COMMIT = 8;
const PAGE = 'weighbridge-update.md';
const FAILED = 1;

await runStep(() => look(process.argv[2] ?? 'proposals.json'));

async function look(output: string): Promise<void> {
  const config = required(process.env, 'CONFIG');
  const group = process.env.GROUP || 'model';
  if (group !== 'model' && group !== 'all') throw new Error(`group: ${group} is neither model nor all`);
  const base = process.env.BASE === 'false' ? [] : ['--base'];
  const lock = path.posix.join(path.posix.dirname(config), 'weighbridge.lock');
  const before = await textsOf([config, lock]);
  if (before[lock] === undefined) {
    say(`::notice::There is no ${lock}, and so nothing to update. Write it with: weighbridge plan --lock`);
    await save(output, { schemaVersion: 1, proposals: [], undecided: [] });
    return;
  }
  const files = { config, lock, before };
  const found = group === 'all' ? await lookAtAll(files, base) : await lookAtEach(files, base);
  await save(output, found);
  say(`${found.proposals.length} to propose; ${found.undecided.length} not resolved`);
}

/** The files that an update changes, and their texts before. */
interface UpdatedFiles {
  readonly config: string;
  readonly lock: string;
  readonly before: Readonly<Record<string, string | undefined>>;
}

async function lookAtAll(files: UpdatedFiles, base: readonly string[]): Promise<Proposals> {
  const branch = `${BRANCH_PREFIX}all`;
  const { models, proposal } = await propose(files, branch, 'Update models', base);
  // A proposal without the models that could not be resolved would undo what the open one has of them.
  const isUndecided = proposal === undefined && models.some(({ error }) => error !== undefined);
  return { schemaVersion: 1, proposals: listOf(proposal), undecided: isUndecided ? [branch] : [] };
}

async function lookAtEach(files: UpdatedFiles, base: readonly string[]): Promise<Proposals> {
  const { models } = await update(files.config, ['--dry-run']);
  const proposals: Proposal[] = [];
  for (const { short, status, commit } of models) {
    if (status !== 'moved' || commit === undefined) continue;
    const title = `Update ${short} to ${commit.to.slice(0, SHORT_COMMIT)}`;
    proposals.push(...listOf((await propose(files, branchOf(short), title, [short])).proposal));
  }
  const bases = await propose(files, `${BRANCH_PREFIX}base-images`, 'Update base images', [
    ...base,
    '--keep-commits',
  ]);
  const undecided = models.flatMap(({ short, error }) => (error === undefined ? [] : [branchOf(short)]));
  return { schemaVersion: 1, proposals: [...proposals, ...listOf(bases.proposal)], undecided };
}

/** Runs an update and takes it back: what it has changed is the proposal. */
async function propose(
  { config, lock, before }: UpdatedFiles,
  branch: string,
  title: string,
  args: readonly string[],
): Promise<{ readonly models: UpdateJson['models']; readonly proposal: Proposal | undefined }> {
  const { models } = await update(config, [...args, '--summary', PAGE]);
  const after = await textsOf([config, lock]);
  const body = await readFile(PAGE, 'utf8');
  await rm(PAGE);
  const files: Record<string, string> = {};
  for (const [file, text] of Object.entries(after)) {
    if (text === undefined || text === before[file]) continue;
    files[file] = text;
    await writeFile(file, before[file] ?? '');
  }
  if (Object.keys(files).length === 0) return { models, proposal: undefined };
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary) await appendFile(summary, `${body}\n`);
  return { models, proposal: { branch, title, body, files } };
}

async function update(config: string, args: readonly string[]): Promise<UpdateJson> {
  const child = spawn('weighbridge', ['update', '--config', config, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // 1: some models could not be resolved. The JSON says which.
  if (status !== 0 && status !== FAILED) throw new Error(`weighbridge update ended with ${status}`);
  return JSON.parse(text) as UpdateJson;
}

function branchOf(short: string): string {
  return `${BRANCH_PREFIX}models/${short}`;
}

async function textsOf(files: readonly string[]): Promise<Record<string, string | undefined>> {
  const texts = await Promise.all(files.map(file => readFile(file, 'utf8').catch(() => undefined)));
  return Object.fromEntries(files.map((file, index) => [file, texts[index]]));
}

function listOf<T>(one: T | undefined): T[] {
  return one === undefined ? [] : [one];
}

async function save(file: string, proposals: Proposals): Promise<void> {
  await writeFile(file, JSON.stringify(proposals));
}
