import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import type { PreviousCatalog } from '../../../catalog/previous-catalog.ts';
import { ConfigError } from '../../../core/errors.ts';
import { readSmallFile } from '../../../core/small-file.ts';
import { reasonOf } from '../../../core/system-error.ts';
import { counted } from '../../../report/layout/text-layout.ts';
import { type CommonOptions, chooseModels, readConfig, withJson, withModelList } from '../../options.ts';
import { prepareFolder } from '../../output-file.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { MAX_CATALOG_BYTES, parseCatalog, readCatalogIn } from './catalog-files.ts';
import { type WrittenCatalog, writeCatalog } from './cataloguing.ts';

interface CatalogOptions extends CommonOptions {
  readonly output: string;
  readonly title: string;
  readonly url?: string;
  readonly previous?: string;
  readonly docs: boolean;
  readonly hub: boolean;
}

const MAX_NOTES = 20;

/** Adds `weighbridge catalog` to the program. */
export function addCatalog(program: Command): void {
  withJson(withModelList(program.command('catalog'), 'look only here'))
    .description('write a static website of everything published')
    .option('-o, --output <dir>', 'the folder of the site', 'site')
    .option('--title <text>', 'the title of the site', 'Model images')
    .option('--url <address>', 'the URL of the site, for the feed, a sitemap and previews of links', parseUrl)
    .option('--previous <file or address>', 'an earlier catalog.json, for the dates when images appeared')
    .option('--no-docs', 'leave out the documentation')
    .option('--no-hub', 'do not ask the Hub for model cards and facts; images state most of them')
    .addHelpText(
      'after',
      `
Reads tags, manifests and configs from the registries, and of layers only a slim image's list of files. Model cards, and facts
that labels do not have, come from the Hub, within time limits; --no-hub does without them. The site is plain files: open
index.html directly, or serve the folder from any web server, under any path. It has a page per model, catalog.json, an Atom
feed, and the documentation.

Registries do not record when an image was pushed. The dates come from the catalog already in the folder, or from
--previous (e.g. https://acme.github.io/models/catalog.json); images that it does not list are new.

Exit status: 0 written, 1 written with problems (a repository could not be read), 2 wrong usage or configuration.`,
    )
    .action((options: CatalogOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        const models = chooseModels(config, options.model);
        await prepareFolder(options.output);
        const before = await readCatalogIn(options.output);
        const previous =
          options.previous === undefined ? before : await readPrevious(session, options.previous);
        const written = await writeCatalog(session, config, models, options.output, {
          title: options.title,
          url: options.url,
          previous,
          overrides: options.registry ?? {},
          hasDocs: options.docs,
          asksHub: options.hub,
        });
        for (const note of written.notes.slice(0, MAX_NOTES)) session.note(note);
        const problems = [...new Set(written.found.flatMap(model => model.problems))];
        for (const problem of problems) session.note(problem);
        session.progress.stop();
        if (session.isJson)
          session.print(JSON.stringify(resultJson(written, options.output, problems), null, 2));
        else session.print(resultText(written, options.output));
        return problems.length === 0 ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}

function resultJson({ data, files }: WrittenCatalog, output: string, problems: readonly string[]) {
  return {
    schemaVersion: 1,
    output: path.resolve(output),
    models: data.models.length,
    images: data.models.reduce((sum, model) => sum + model.images.length, 0),
    files,
    problems,
  };
}

function resultText({ data, found, files }: WrittenCatalog, output: string): string {
  const images = data.models.reduce((sum, model) => sum + model.images.length, 0);
  const absent = found.length - data.models.length;
  const more = absent === 0 ? '' : `; ${counted(absent, 'model')} without an image left out`;
  return `${counted(files, 'file')} on ${counted(data.models.length, 'model')} with ${counted(images, 'image')}${more}
${catalogAddress(output)}`;
}

/** Returns the `file:` address of a site on this machine. */
export function catalogAddress(folder: string): string {
  return pathToFileURL(path.resolve(folder, 'index.html')).href;
}

async function readPrevious(
  { services, signal }: Session,
  place: string,
): Promise<PreviousCatalog | undefined> {
  if (!/^https?:\/\//.test(place)) {
    const bytes = await readSmallFile(place, { maxBytes: MAX_CATALOG_BYTES, isPipeAllowed: true }).catch(
      cause => {
        throw new ConfigError(`${place} cannot be read: ${reasonOf(cause)}`, {
          code: 'USAGE',
          subject: place,
          cause,
        });
      },
    );
    return parseCatalog(bytes, place);
  }
  const purpose = `reading the catalog before this one from ${place}`;
  const response = await services.http.request({ method: 'GET', url: place, purpose, signal });
  // The first one of all has none before it.
  if (response.status === 404) {
    response.discard();
    return undefined;
  }
  if (response.status !== 200) {
    response.discard();
    throw new ConfigError(`${purpose}: the answer was ${response.status}`, { code: 'USAGE', subject: place });
  }
  return parseCatalog(await response.bytes(MAX_CATALOG_BYTES), place);
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('Expected an http(s) address.');
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}
