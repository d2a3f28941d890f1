import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { runOk } from '../../../support/tools.ts';
import type { Permissions, World } from './types.ts';

/** What an action is given, and what it may leave behind. */
export interface ActionCall {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly world: World;
  readonly permissions: Permissions;
  readonly sarif: unknown[];
  /** Puts a folder before all others on the PATH of the steps that follow. */
  readonly addPath: (folder: string) => void;
}

/** Stand-ins for the actions that the workflows use, by what they do to the workspace. */
export const ACTIONS: Readonly<Record<string, (call: ActionCall) => Promise<void>>> = {
  'actions/checkout': checkout,
  // The runner's own Node.js may be any: without this step it is what the machine has.
  'actions/setup-node': async ({ addPath }) => addPath(path.dirname(process.execPath)),
  'aquasecurity/setup-trivy': async () => undefined,
  'actions/upload-artifact': upload,
  'actions/download-artifact': download,
  'github/codeql-action/upload-sarif': uploadSarif,
};

async function checkout({ inputs, workspace, world }: ActionCall): Promise<void> {
  const target = path.join(workspace, inputs.path ?? '.');
  await mkdir(target, { recursive: true });
  if (inputs.repository !== undefined) {
    for (const name of await readdir(world.project))
      await symlink(path.join(world.project, name), path.join(target, name));
    return;
  }
  const depth = inputs['fetch-depth'] ?? '1';
  await runOk('git', ['clone', '--quiet', '--depth', depth, `file://${world.repository}`, target]);
}

async function upload({ inputs, workspace, world }: ActionCall): Promise<void> {
  const target = path.join(world.folder, 'artifacts', inputs.name ?? 'artifact');
  if (existsSync(target)) throw new Error(`an artifact ${inputs.name} was uploaded before`);
  const files = (inputs.path ?? '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  const present = files.filter(file => existsSync(path.join(workspace, file)));
  if (present.length === 0) {
    if (inputs['if-no-files-found'] === 'ignore') return;
    throw new Error(`no files for the artifact ${inputs.name}`);
  }
  await mkdir(target, { recursive: true });
  for (const file of present) {
    const source = path.join(workspace, file);
    // What a folder holds is at the top of the artifact.
    const isFolder = (await stat(source)).isDirectory();
    await cp(source, isFolder ? target : path.join(target, path.basename(file)), { recursive: true });
  }
}

async function download({ inputs, workspace, world, permissions }: ActionCall): Promise<void> {
  const other = inputs['run-id'];
  if (other !== undefined && (permissions.actions !== 'read' || !inputs['github-token']))
    throw new Error('the artifacts of another run need a token, and `actions: read`');
  const run = other === undefined ? world.folder : world.otherRuns?.[other];
  if (run === undefined) throw new Error(`there is no run ${other}`);
  const artifacts = path.join(run, 'artifacts');
  const target = path.join(workspace, inputs.path ?? '.');
  const all = existsSync(artifacts) ? await readdir(artifacts) : [];
  await mkdir(target, { recursive: true });
  if (inputs.name !== undefined) {
    if (!all.includes(inputs.name)) throw new Error(`there is no artifact ${inputs.name}`);
    await cp(path.join(artifacts, inputs.name), target, { recursive: true });
    return;
  }
  const prefix = (inputs.pattern ?? '*').replace(/\*$/, '');
  for (const name of all.filter(one => one.startsWith(prefix))) {
    await cp(path.join(artifacts, name), path.join(target, name), { recursive: true });
  }
}

/** Refuses what code scanning refuses: two runs of one tool and category in an upload, and a token without the rights. */
async function uploadSarif({ inputs, workspace, world, permissions, sarif }: ActionCall): Promise<void> {
  if (permissions['security-events'] !== 'write' || (isPrivate(world) && permissions.actions !== 'read'))
    throw new Error('Resource not accessible by integration');
  if (isPrivate(world)) throw new Error('Code Security must be enabled for this repository');
  const folder = path.join(workspace, inputs.sarif_file ?? '');
  const seen = new Set<string>();
  for (const file of (await readdir(folder)).filter(name => name.endsWith('.sarif'))) {
    const content = JSON.parse(await readFile(path.join(folder, file), 'utf8'));
    for (const run of content.runs) {
      const key = `${run.tool.driver.name} ${run.automationDetails?.id ?? ''}`;
      if (seen.has(key)) throw new Error(`two runs of ${key}`);
      seen.add(key);
    }
    sarif.push(content);
  }
}

function isPrivate({ visibility }: World): boolean {
  return visibility === 'private';
}
