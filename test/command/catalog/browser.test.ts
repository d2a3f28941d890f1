import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page, Response } from 'playwright-core';
import { startRegistry } from '../../../src/testkit/registry.ts';
import {
  keepPicture,
  launchBrowser,
  openPage,
  type Scheme,
  SIZES,
  type Size,
} from '../../support/browser.ts';
import { fillRegistry, writeSampleConfig } from '../../support/catalog-world.ts';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { IS_LONG, onlyLong } from '../../support/long.ts';
import { serveFolder } from '../../support/static-server.ts';
import { requireTool, runOk } from '../../support/tools.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const skip = requireTool('chromium');
/** With WEIGHBRIDGE_LONG=1 as many models as are promised, and every page in every way; else enough to see what breaks. */
const COUNT = IS_LONG ? 1000 : 200;
const TOTAL = COUNT.toLocaleString('en');

let browser: Browser;
let folder: string | undefined;
let site: string;
let buildMs = 0;

before(async () => {
  if (skip !== false) return;
  await using registry = await startRegistry();
  const models = fillRegistry(registry, 'acme', COUNT);
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-catalog-'));
  const config = await writeSampleConfig(folder, { lab: `${registry.host}/acme` }, models);
  site = path.join(folder, 'site');
  const build = async (): Promise<number> => {
    const start = performance.now();
    await runOk(WEIGHBRIDGE, ['catalog', '-c', config, '-o', site, '--title', 'Acme models', '--no-hub']);
    return performance.now() - start;
  };
  buildMs = await build();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const fileUrl = (name: string): string => pathToFileURL(path.join(site, name)).href;

test(`a catalog of ${TOTAL} models is built`, { skip }, t => {
  t.diagnostic(`built in ${(buildMs / 1000).toFixed(1)} s`);
});

const PAGES = {
  list: 'index.html',
  model: 'models/qwen2-5-7b.html',
  docs: 'docs/policy.html',
  reference: 'docs/reference.html',
} as const;

for (const [name, file] of Object.entries(PAGES)) {
  for (const size of Object.keys(SIZES) as Size[]) {
    for (const scheme of ['light', 'dark'] as const satisfies readonly Scheme[]) {
      const isShort =
        size === 'desktop'
          ? scheme === 'light' && name !== 'reference'
          : scheme === 'dark' && name === 'model';
      if (!IS_LONG && !isShort) continue;
      test(`${name}, ${size}, ${scheme}: nothing for axe to find, nothing wider than the window`, {
        skip,
      }, async () => {
        await using opened = await openPage(browser, fileUrl(file), { size, scheme });
        const { page, troubles } = opened;
        await page.evaluate('document.fonts.ready.then(() => 0)');
        assert.deepEqual(await axe(page), []);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        assert.ok(overflow <= 0, `${overflow} px too wide`);
        assert.deepEqual(troubles, []);
        await keepPicture(page, `${name}-${size}-${scheme}`);
      });
    }
  }
}

async function axe(page: Page): Promise<string[]> {
  // Not as a script of the page, which its policy would stop.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const results = await page.evaluate<AxeResults>('axe.run({ preload: false })');
  return results.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(node => `${impact} ${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

test('search and filters find among all models, say how many, and are kept in the address', {
  skip,
}, async () => {
  await using opened = await openPage(browser, fileUrl(PAGES.list));
  const { page, troubles } = opened;
  await page.waitForSelector('html[data-ready]');
  await page.keyboard.press('/');
  await page.keyboard.type('qwen2.5 7b');
  await page.locator('[data-count]', { hasText: ' of ' }).waitFor();
  const names = await page.locator('.row [data-f=link]').allTextContents();
  assert.ok(names.length >= 5 && names.every(name => name.startsWith('Qwen/Qwen2.5-7B')), names.join());
  assert.match(
    (await page.locator('[data-count]').textContent()) ?? '',
    new RegExp(`^\\d+ of ${TOTAL} models$`),
  );
  await page.locator('#license').selectOption('MIT');
  await page.locator('[data-none]').waitFor();
  assert.equal(await page.locator('.row').count(), 0);
  await page.getByRole('button', { name: 'Clear all filters' }).last().click();
  await page.locator('[data-count]', { hasText: new RegExp(`^${TOTAL} models$`) }).waitFor();
  await page.locator('#variant').selectOption('slim');
  await page.locator('#size').selectOption({ label: 'Over 80 GiB' });
  await page.locator('#sort').selectOption('-size');
  await page.locator('.row').first().filter({ hasText: 'Llama-3.1-405B' }).waitFor();
  const first = (await page.locator('.row [data-f=link]').first().textContent()) ?? '';
  assert.match(first, /Llama-3\.1-405B/);
  assert.match(page.url(), /#size=\d+-&variant=slim&sort=-size$/);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.locator('.row [data-f=link]').first().textContent(), first);
  assert.deepEqual(troubles, []);
});

test('scrolling brings all rows, a button does it without a mouse', { skip }, async () => {
  await using opened = await openPage(browser, fileUrl(PAGES.list));
  const { page } = opened;
  await page.waitForSelector('html[data-ready]');
  await page.locator('[data-more]').focus();
  await page.keyboard.press('Enter');
  const focused = await page.evaluate<string>('document.activeElement.dataset.f');
  assert.equal(focused, 'link');
  // With the End key held down, the window is at the new end before the next frame: after new rows, and after they got their true height.
  await page.evaluate(`{
    const toEnd = () => scrollTo(0, document.body.scrollHeight);
    const rows = document.querySelector('.row').parentNode;
    new MutationObserver(toEnd).observe(rows, { childList: true });
    new ResizeObserver(toEnd).observe(rows);
    toEnd();
  }`);
  await page
    .locator('.row')
    .nth(COUNT - 1)
    .waitFor({ state: 'attached' });
  assert.equal(await page.locator('.row').count(), COUNT);
  const hrefs = await page
    .locator('.row a')
    .evaluateAll(links => links.map(link => link.getAttribute('href')));
  assert.equal(new Set(hrefs).size, COUNT);
});

test(`filtering and scrolling ${TOTAL} models: no change draws more than 20 rows, or does more than sort them all`, {
  skip: skip || onlyLong,
}, async t => {
  await using opened = await openPage(browser, fileUrl(PAGES.list));
  const { page, context } = opened;
  await page.waitForSelector('html[data-ready]');
  await page.evaluate(await readFile(path.join(import.meta.dirname, 'type-and-scroll.js'), 'utf8'));
  const profiler = await context.newCDPSession(page);
  await profiler.send('Profiler.enable');
  await profiler.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
  const { changes, scrolls, mostRowsAtOnce } = await page.evaluate<Work>('typeAndScroll()');
  const longestMs = Math.max(...mainThreadTasks(await browser.stopTracing()));
  const { result } = await profiler.send('Profiler.takePreciseCoverage');
  const list = result.find(({ url }) => url.endsWith('/list.js'));
  const calls = (list?.functions ?? []).map(({ functionName: name, ranges }) => ({
    name,
    count: ranges[0]?.count ?? 0,
  }));
  const drawn = calls.find(({ name }) => name === 'drawn')?.count ?? 0;
  t.diagnostic(`${changes} changes, ${drawn} rows drawn; the longest task ran ${longestMs.toFixed(1)} ms`);
  assert.equal(mostRowsAtOnce, 20);
  assert.ok(changes > 50, `${changes} changes`);
  assert.ok(drawn >= COUNT && drawn <= 20 * (changes + scrolls), `${drawn} rows drawn`);
  // Each change may look at every model and sort all of them, and do nothing that grows faster than that.
  const most = changes * COUNT * Math.ceil(Math.log2(COUNT));
  for (const { name, count } of calls) assert.ok(count <= most, `${name} was called ${count} times`);
});

/** As type-and-scroll.js counts it. */
interface Work {
  readonly changes: number;
  readonly scrolls: number;
  readonly mostRowsAtOnce: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds that the thread really ran: what else the machine does at the time does not count. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** How long each task of the pages' main threads ran, in milliseconds. For people to read: a slow machine is no fault. */
function mainThreadTasks(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const isMain = ({ name, args }: TraceEvent): boolean =>
    name === 'thread_name' && args?.name === 'CrRendererMain';
  const main = new Set(traceEvents.filter(isMain).map(thread));
  return traceEvents
    .filter(event => /RunTask$/.test(event.name) && event.tdur !== undefined && main.has(thread(event)))
    .map(({ tdur = 0 }) => tdur / 1000);
}

test('copy buttons copy the command that is shown, of the chosen registry and tool', { skip }, async () => {
  await using server = await serveFolder(site);
  await using opened = await openPage(browser, `${server.url}${PAGES.model}`);
  const { page, troubles } = opened;
  const clipboard = (): Promise<string> => page.evaluate<string>('navigator.clipboard.readText()');
  await page.getByRole('button', { name: 'Copy: Run' }).first().click();
  assert.match(
    await clipboard(),
    /^docker run --rm --gpus all [\s\S]* \\\n {2}\S+\/acme\/hf-qwen2-5-7b:v0\.1\d\.0-fat$/,
  );
  await page.locator('[data-announce]', { hasText: 'Copied' }).waitFor({ state: 'attached' });
  // From the variant's tabs to the tool's with the keyboard alone.
  await page.getByRole('tab', { name: /^Slim/ }).click();
  await page.getByRole('tab', { name: 'Docker' }).locator('visible=true').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Kubernetes with a volume');
  await page
    .getByRole('button', { name: /^Copy: hf-qwen2-5-7b\.yaml/ })
    .locator('visible=true')
    .click();
  assert.match(await clipboard(), /^apiVersion: v1\nkind: PersistentVolumeClaim/);
  await page
    .getByRole('button', { name: /^Copy the digest/ })
    .first()
    .click();
  assert.match(await clipboard(), /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(troubles, []);
});

test('the theme can be switched and stays for the next page', { skip }, async () => {
  await using server = await serveFolder(site);
  await using opened = await openPage(browser, `${server.url}${PAGES.list}`, { scheme: 'light' });
  const { page } = opened;
  const paper = (): Promise<string> =>
    page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const light = await paper();
  await page.getByRole('button', { name: /light and dark/ }).click();
  const dark = await paper();
  assert.notEqual(dark, light);
  await page.goto(`${server.url}${PAGES.docs}`);
  assert.equal(await paper(), dark);
});

test('under a path prefix everything loads, and the first load weighs less than 150 kB', {
  skip,
}, async t => {
  await using server = await serveFolder(site, '/some/where/');
  for (const [name, file] of Object.entries(PAGES)) {
    const context = await browser.newContext({ viewport: SIZES.desktop });
    const page = await context.newPage();
    const weights = new Map<string, number>();
    const failed: string[] = [];
    const weigh = async (response: Response): Promise<void> => {
      if (response.status() !== 200) failed.push(response.url());
      else weights.set(path.basename(response.url()), (await response.body()).length);
    };
    const weighed: Promise<void>[] = [];
    page.on('response', response => weighed.push(weigh(response)));
    await page.goto(server.url + file, { waitUntil: 'load' });
    await page.evaluate('document.fonts.ready.then(() => 0)');
    await page.waitForTimeout(200);
    await Promise.all(weighed);
    await context.close();
    assert.deepEqual(failed, []);
    const later = weights.get('rows.js') ?? 0;
    const total = [...weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    const first = total - later;
    t.diagnostic(
      `${name}: ${kilobytes(first)} at first, uncompressed${later > 0 ? `, and ${kilobytes(later)} behind it` : ''}`,
    );
    assert.ok(first < 150_000, `${name}: ${first} bytes: ${JSON.stringify([...weights])}`);
  }
});

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

test('without scripts the list, the commands and every model are there', { skip }, async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(fileUrl(PAGES.list));
  assert.equal(await page.locator('.row').count(), 20);
  await page.getByRole('link', { name: 'one long list' }).click();
  const others = await page
    .locator('.pages a:not([aria-current])')
    .evaluateAll(links => links.map(link => link.getAttribute('href') ?? ''));
  let listed = await page.locator('.all li').count();
  for (const other of others) {
    await page.goto(fileUrl(other));
    listed += await page.locator('.all li').count();
  }
  assert.equal(listed, COUNT);
  await page.goto(fileUrl(PAGES.model));
  for (const heading of ['Podman', 'Kubernetes with a volume', 'Image volume'])
    assert.ok(await page.getByRole('heading', { name: heading }).first().isVisible(), heading);
  await context.close();
});
