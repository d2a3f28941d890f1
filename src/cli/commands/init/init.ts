import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { execa } from 'execa';
import { checkBaseImage } from '../../../config/field-checks.ts';
import { BUILT_IN_BASE_IMAGE } from '../../../config/schema.ts';
import { InterruptedError } from '../../../core/errors.ts';
import { parseReference } from '../../../oci/reference.ts';
import { styleFor } from '../../../report/progress/style.ts';
import { ExitStatus, runSession, type Session, type SessionOptions } from '../../session.ts';
import { writeGitignore } from './gitignore.ts';
import { newestBase } from './newest-base.ts';
import { type StarterChoice, type StarterFile, starterFiles } from './starter-files.ts';

interface InitOptions extends SessionOptions {
  readonly ghcr?: string;
  readonly dockerhub?: string;
  readonly baseImage?: string;
  readonly workflow?: string;
  readonly yes?: boolean;
}

const ACCOUNT = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$/;

/** Adds `weighbridge init` to the program. */
export function addInit(program: Command): void {
  program
    .command('init [folder]')
    .description('create models.yaml, a CI workflow and a README; existing files are kept')
    .option(
      '--ghcr <owner>',
      "publish to ghcr.io/<owner> (default: the owner of the folder's git remote)",
      parseAccount,
    )
    .option('--dockerhub <account>', 'publish to Docker Hub as well', parseAccount)
    .option(
      '--base-image <reference>',
      'the vLLM image to build on (default: its newest release)',
      parseBaseImage,
    )
    .option('--workflow <owner/name@ref>', 'the reusable workflow to call', parseWorkflow)
    .option('-y, --yes', 'do not prompt')
    .addHelpText(
      'after',
      '\nOn a terminal, init prompts for options that are not set. It never changes existing files, except that it adds to\n.gitignore what run, catalog, licenses and build leave behind.',
    )
    .action((folder: string | undefined, options: InitOptions) =>
      runSession(options, session => init(session, folder ?? '.', options)),
    );
}

async function init(session: Session, folder: string, options: InitOptions): Promise<number> {
  const found = await ownerOfRemote(folder);
  const isAsking = options.yes !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const given: Accounts = { ghcr: options.ghcr ?? found ?? null, dockerhub: options.dockerhub ?? null };
  const accounts = isAsking ? await ask(session, given, options) : given;
  const choice = {
    ...accounts,
    baseImage: options.baseImage ?? (await baseFor(session, folder)),
    workflow: options.workflow ?? null,
  };
  const files = starterFiles(choice);
  const written = await Promise.all(
    files.map(async file => ({ ...file, verdict: (await writeNew(folder, file)) ? 'written' : 'kept' })),
  );
  const purpose = 'keeps what commands write here out of commits';
  const ignored = await writeGitignore(folder);
  if (ignored === 'link')
    session.note('.gitignore is a symbolic link, which git does not read; nothing was added to it');
  written.push({ path: '.gitignore', text: '', purpose, verdict: ignored === 'link' ? 'kept' : ignored });
  const style = styleFor(session.stdout.isColor);
  const width = Math.max(...written.map(file => file.path.length));
  for (const { path: name, purpose, verdict } of written) {
    const paint = verdict === 'kept' ? style.quiet : style.good;
    session.print(
      `${paint(verdict.padEnd('written'.length))}  ${name.padEnd(width)}  ${style.quiet(purpose)}`,
    );
  }
  const config = folder === '.' ? '' : ` --config ${path.join(folder, 'models.yaml')}`;
  session.print(`
Next:
  weighbridge add <id>${config}    e.g. Qwen/Qwen2.5-0.5B-Instruct
  weighbridge plan${config}        what would be published, and why
  git add . && git commit -m "Publish models" && git push${accounts.dockerhub === null ? '' : '\n  the secret DOCKERHUB_TOKEN in the settings of the repository'}`);
  return ExitStatus.done;
}

/** A file that is there keeps its own: the registry is not asked for nothing. */
async function baseFor(session: Session, folder: string): Promise<string> {
  const isKept = await access(path.join(folder, 'models.yaml')).then(
    () => true,
    () => false,
  );
  return isKept ? BUILT_IN_BASE_IMAGE : await newestBase(session);
}

type Accounts = Pick<StarterChoice, 'ghcr' | 'dockerhub'>;

async function ask(session: Session, given: Accounts, options: InitOptions): Promise<Accounts> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // In its line editor Ctrl-C is a key like any other, and Ctrl-D ends the input without an answer.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = new Promise<never>((_, reject) => {
    terminal.once('close', () => reject(new InterruptedError()));
  });
  closed.catch(() => undefined);
  const question = async (text: string, known: string | null): Promise<string | null> => {
    for (;;) {
      const shown = known === null ? 'none' : known;
      const asked = terminal.question(`${text} [${shown}]: `, { signal: session.signal });
      const answer = (await Promise.race([asked, closed])).trim();
      if (answer === '') return known;
      if (answer === 'none') return null;
      if (ACCOUNT.test(answer)) return answer;
      session.print('  A name of letters, digits and single "-", please, or nothing.');
    }
  };
  try {
    const ghcr = options.ghcr ?? (await question('Owner on GitHub, for ghcr.io/<owner>', given.ghcr));
    const dockerhub =
      options.dockerhub ??
      (await question('Account of Docker Hub, to publish there as well', given.dockerhub));
    return { ghcr, dockerhub };
  } finally {
    terminal.close();
  }
}

/** Made only if nothing has that name: `wx` leaves the question to the file system. */
async function writeNew(folder: string, { path: name, text }: StarterFile): Promise<boolean> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerOfRemote(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await execa('git', ['-C', folder, 'remote', 'get-url', 'origin']);
    return /github\.com[:/]([A-Za-z0-9-]+)\//.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function parseAccount(value: string): string {
  if (ACCOUNT.test(value)) return value;
  throw new InvalidArgumentError('Expected the name of an account: letters, digits and single "-".');
}

function parseBaseImage(value: string): string {
  const fault = checkBaseImage(value);
  if (fault !== undefined) throw new InvalidArgumentError(`It ${fault.message}.`);
  if (parseReference(value).tag !== undefined) return value;
  // The default tags name the version of vLLM.
  throw new InvalidArgumentError('It has no tag: write name:tag, or name:tag@sha256:… to pin it.');
}

function parseWorkflow(value: string): string {
  if (/^[\w.-]+\/[\w.-]+@[\w./-]+$/.test(value)) return value;
  throw new InvalidArgumentError('Expected <owner>/<name>@<tag or commit>.');
}
