import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Where Debian has it. */
const CHROMIUM = '/usr/bin/chromium';

/** Without what a browser does behind its user's back. */
const ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

export const SIZES = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
} as const;

export type Size = keyof typeof SIZES;
export type Scheme = 'light' | 'dark';

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

export function hasBrowser(): boolean {
  return existsSync(CHROMIUM);
}

/** Far from what anything takes, also where many programs share the machine. */
const MAX_WAIT_MS = 600_000;

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts and of loading, and everything that was asked of another place than `root`. */
  readonly troubles: string[];
}

/** Opens an address in a browser window of its own, with everything that goes wrong written down. */
export async function openPage(
  browser: Browser,
  url: string,
  { size = 'desktop', scheme = 'light' }: { readonly size?: Size; readonly scheme?: Scheme } = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: scheme,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(MAX_WAIT_MS);
  const page = await context.newPage();
  const troubles: string[] = [];
  const origin = new URL(url).origin;
  page.on('pageerror', error => troubles.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  page.on('requestfailed', request => {
    // A page that is left or loaded anew gives up what it still waits for.
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') troubles.push(`${request.url()} failed (${why})`);
  });
  page.on('request', request => {
    if (new URL(request.url()).origin !== origin) troubles.push(`${request.url()} is elsewhere`);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, context, troubles, [Symbol.asyncDispose]: () => context.close() };
}

/** Keeps a picture in `build/screenshots` for people to look at. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = path.resolve(import.meta.dirname, '../../build/screenshots');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
