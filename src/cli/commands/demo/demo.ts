import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { loadConfig } from '../../../config/load-config.ts';
import { holdsWeights } from '../../../config/variants.ts';
import { formatBytes } from '../../../core/text.ts';
import { isRight } from '../../../inspect/verify-image.ts';
import type { Plan } from '../../../plan/types.ts';
import { queueOf } from '../../../publish/publish-plan.ts';
import {
  type ImageOutcome,
  isPublishOutcome,
  type PublishOutcome,
  type ReportedModel,
} from '../../../publish/types.ts';
import { styleFor } from '../../../report/progress/style.ts';
import { planTable } from '../../../report/text/plan-table.ts';
import { publishSummary } from '../../../report/text/publish-summary.ts';
import { planFor } from '../../planning.ts';
import { publishToRegistries } from '../../publish-session.ts';
import { lookAtRegistries } from '../../registry-state.ts';
import { ExitStatus, runSession, type Session, type SessionOptions } from '../../session.ts';
import { catalogAddress } from '../catalog/catalog.ts';
import { verifyWithProgress } from '../verify/verifying.ts';
import { writeDemoCatalog } from './demo-catalog.ts';
import { type DemoServers, startDemoServers } from './demo-servers.ts';

interface DemoOptions extends SessionOptions {
  readonly keep?: boolean;
}

/** Adds `weighbridge demo` to the program. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('publish and verify a sample model with an embedded Hub and two embedded registries')
    .option('--keep', 'keep the servers running, to explore them with skopeo, podman or crane')
    .addHelpText(
      'after',
      '\nNeeds no account, network or container engine, and leaves only the catalog, in your cache folder.',
    )
    .action((options: DemoOptions) => runSession(options, session => runDemo(session, options)));
}

async function runDemo(outer: Session, { keep }: DemoOptions): Promise<number> {
  await using servers = await startDemoServers(outer.env);
  const session = outer.within(servers.env);
  const say = sayer(session);
  say('1', 'models.yaml: what to publish, and where');
  session.print(indented(await readFile(servers.configFile, 'utf8')));
  const config = await loadConfig(servers.configFile);

  say('2', 'weighbridge plan: which variants may be published, and what would move');
  const plan = await planFor(session, config, { config: servers.configFile }, 'required');
  const outcomes = await lookAtRegistries(session, plan);
  session.print(
    indented(planTable(plan, { ...session.stdout, columns: session.stdout.columns - 2, outcomes })),
  );

  say('3', 'weighbridge publish: from the Hub straight into two registries');
  const published = await publish(session, plan);
  say('4', 'weighbridge verify --deep: pulled back, and every byte compared with the Hub');
  const isVerified = await verify(session, published);

  say('5', 'weighbridge publish, again: nothing has changed, so nothing moves');
  const uploadedBefore = uploadedBytes(servers);
  const again = await publish(session, plan);
  const isFree =
    statusesOf(again).every(status => status === 'unchanged') && uploadedBytes(servers) === uploadedBefore;

  say('6', 'weighbridge catalog: a page of everything published, from the registries alone');
  const address = catalogAddress(await writeDemoCatalog(session, config));
  session.print(`  ${address}`);

  const isDone = statusesOf(published).every(status => status === 'published') && isVerified && isFree;
  session.progress.stop();
  session.print(
    `\n${isDone ? 'Everything is verified.' : 'Something could not be verified: please report it.'}`,
  );
  if (!keep)
    session.print('Look at the images yourself: weighbridge demo --keep (or: make demo ARGS=--keep)');
  session.print(`Everything published, as a page: ${address}`);
  if (keep) await stayUp(session, servers, published);
  return isDone ? ExitStatus.done : ExitStatus.failed;
}

type Published = PublishOutcome<ReportedModel>;

async function publish(session: Session, plan: Plan): Promise<readonly Published[]> {
  const outcomes = await publishToRegistries(session, queueOf(plan), {});
  session.progress.renew();
  session.print(
    indented(publishSummary(outcomes, { ...session.stdout, columns: session.stdout.columns - 2 })),
  );
  return outcomes.filter(isPublishOutcome);
}

async function verify(session: Session, outcomes: readonly Published[]): Promise<boolean> {
  let isAllRight = true;
  for (const image of outcomes.flatMap(outcome => outcome.images)) {
    const { repository, tag } = firstTag(image);
    const store = session.services.openRepository(repository, 'pull');
    const title = `${image.registry} ${image.variant}`;
    const checks = await verifyWithProgress(session, { store, reference: tag, title }, { isDeep: true });
    session.progress.renew();
    for (const check of checks) {
      isAllRight &&= isRight(check);
      const what = holdsWeights(image.variant) ? 'files in the image' : 'files in the list that it fetches';
      const said = isRight(check) ? "are the Hub's" : 'DIFFER from the Hub';
      session.print(
        `  ${image.registry} ${image.variant}: ${check.files.length} ${what} ${said}; ${formatBytes(check.bytesRead)} read and hashed`,
      );
      for (const file of check.files)
        if (file.status !== 'same') session.print(`    ${file.path}: ${file.detail}`);
      for (const problem of check.problems) session.print(`    ${problem}`);
    }
  }
  return isAllRight;
}

async function stayUp(session: Session, servers: DemoServers, outcomes: readonly Published[]): Promise<void> {
  const fat = outcomes.flatMap(outcome => outcome.images).find(image => holdsWeights(image.variant));
  const reference = fat?.tags[0] ?? '';
  session.print(`
The servers stay up until Ctrl-C:
  the Hub         ${servers.hub.url}  (HF_ENDPOINT)
  first registry  ${servers.registries.first.host}
  second registry ${servers.registries.second.host}  (login ${servers.login.user} / ${servers.login.password})
Look at what is there:
  skopeo inspect --tls-verify=false docker://${reference}
  skopeo copy --src-tls-verify=false docker://${reference} oci:sample:fat && umoci unpack --image sample:fat unpacked
  HF_ENDPOINT=${servers.hub.url} DOCKER_CONFIG=${servers.folder} weighbridge plan -c ${servers.configFile}`);
  await new Promise<void>(resolve =>
    session.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

function sayer(session: Session): (number: string, text: string) => void {
  const style = styleFor(session.stdout.isColor);
  return (number, text) => {
    session.progress.renew();
    session.print(`\n${style.strong(`${number}. ${text}`)}`);
  };
}

function firstTag({ tags }: ImageOutcome): { repository: string; tag: string } {
  const [reference = ''] = tags;
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

function statusesOf(outcomes: readonly Published[]): string[] {
  return outcomes.flatMap(outcome => outcome.images.map(image => image.status));
}

function uploadedBytes({ registries }: DemoServers): number {
  return Object.values(registries).reduce((sum, registry) => sum + registry.counters.uploadedBytes, 0);
}

function indented(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, '  ');
}
