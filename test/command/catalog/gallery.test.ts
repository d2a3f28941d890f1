import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { keepPicture, launchBrowser, openPage, type Scheme, type Size } from '../../support/browser.ts';
import { type Gallery, startGallery } from '../../support/catalog-gallery.ts';
import { writeSampleConfig } from '../../support/catalog-world.ts';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { IS_LONG } from '../../support/long.ts';
import { requireTool, runOk, temporaryFolder } from '../../support/tools.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const skip = IS_LONG ? requireTool('chromium') : 'only with WEIGHBRIDGE_LONG=1';

interface Shot {
  readonly name: string;
  /** Relative to the site, with the choices of the list. */
  readonly address: string;
  readonly size?: Size;
  readonly scheme?: Scheme;
  readonly act?: (page: Page) => Promise<void>;
}

const openFilters = (page: Page): Promise<void> => page.locator('[data-more-filters]').click();

const SHOTS: readonly Shot[] = [
  { name: 'list', address: 'index.html' },
  { name: 'list-dark', address: 'index.html', scheme: 'dark' },
  { name: 'filters', address: 'index.html#task=Text&gpu=24&license=Apache-2.0&sort=-context' },
  { name: 'nothing-found', address: 'index.html#q=nothing-like-this' },
  { name: 'list-phone', address: 'index.html', size: 'phone' },
  { name: 'filters-phone', address: 'index.html#task=Embedding', size: 'phone', act: openFilters },
  { name: 'page', address: 'models/qwen25-7b.html' },
  { name: 'page-dark', address: 'models/qwen25-7b.html', scheme: 'dark' },
  { name: 'page-phone', address: 'models/qwen25-7b.html', size: 'phone' },
  { name: 'page-gated', address: 'models/llama31-8b.html' },
  {
    name: 'page-long-name',
    address: 'models/a-model-with-a-very-long-name-for-narrow-screens.html',
    size: 'phone',
  },
];

let gallery: Gallery;
let browser: Browser;
let site: string;

before(async t => {
  if (skip !== false) return;
  gallery = await startGallery();
  const folder = await temporaryFolder(t as never);
  const config = await writeSampleConfig(folder, { lab: `${gallery.registry.host}/acme` }, gallery.models);
  site = path.join(folder, 'site');
  const args = ['catalog', '-c', config, '-o', site, '--title', 'Acme models'];
  await runOk(WEIGHBRIDGE, args, { env: { HF_ENDPOINT: gallery.hub.url } });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await gallery?.[Symbol.asyncDispose]();
});

for (const { name, address, size, scheme, act } of SHOTS) {
  test(`${name}: nothing for axe to find, nothing wider than the window, nothing from elsewhere`, {
    skip,
  }, async () => {
    const url = `${pathToFileURL(site).href}/${address}`;
    await using opened = await openPage(browser, url, { ...(size && { size }), ...(scheme && { scheme }) });
    const { page, troubles } = opened;
    if (address.startsWith('index')) await page.waitForSelector('html[data-ready]');
    await page.evaluate('document.fonts.ready.then(() => 0)');
    await act?.(page);
    await page.evaluate(await readFile(AXE, 'utf8'));
    const results = await page.evaluate<AxeResults>('axe.run({ preload: false })');
    assert.deepEqual(
      results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`),
      [],
    );
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(overflow <= 0, `${overflow} px too wide`);
    assert.deepEqual(troubles, []);
    await keepPicture(page, `catalog-${name}`);
  });
}

test('filters and headers order the list, and the address keeps it', { skip }, async () => {
  await using opened = await openPage(browser, `${pathToFileURL(site).href}/index.html`);
  const { page } = opened;
  await page.waitForSelector('html[data-ready]');
  await page.locator('#task').selectOption('Embedding');
  await page.locator('[data-count]', { hasText: '3 of 40 models' }).waitFor();
  await page.locator('#signed').selectOption('yes');
  await page.locator('[data-count]', { hasText: '1 of 40 models' }).waitFor();
  await page.getByRole('button', { name: 'Clear all filters' }).first().click();
  await page.locator('#access').selectOption('gated');
  assert.equal(await page.locator('.row .badge-gate').filter({ hasText: 'gated' }).count(), 5);
  await page.getByRole('button', { name: 'Parameters' }).click();
  const header = page.locator('[data-column=parameters]');
  assert.equal(await header.getAttribute('aria-sort'), 'ascending');
  await page.getByRole('button', { name: 'Parameters' }).press('Enter');
  assert.equal(await header.getAttribute('aria-sort'), 'descending');
  assert.match((await page.locator('.row').first().textContent()) ?? '', /Llama-4-Scout/);
  assert.match(page.url(), /#access=gated&sort=-parameters$/);
});
