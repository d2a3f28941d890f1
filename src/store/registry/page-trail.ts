/** A registry that leaves entries out of its pages may have pages without any. */
const MAX_IDLE_PAGES = 20;
/** Far more than a registry that may be asked for 100 entries at once needs. */
const MAX_PAGES = 1000;

/** What a page of a list had. */
interface PageContent {
  /** Its entries. */
  readonly entries: number;
  /** Those of them that no page before had. */
  readonly fresh: number;
}

/**
 * The way through the pages of a registry's list. It ends where the list does: what is only part of a list must not be taken
 * for the whole, by which images are deleted and signatures missed.
 */
export class PageTrail {
  readonly #seen = new Set<string>();
  readonly #failure: (why: string) => Error;
  #idlePages = 0;

  /** `failure` makes the error of a list whose end cannot be reached. */
  constructor(failure: (why: string) => Error) {
    this.#failure = failure;
  }

  /**
   * Notes the page at `url`. Returns the address of the next one, if `next` leads to one, and undefined at the end. Throws
   * `failure` if the pages lead in a circle or do not end.
   */
  after(url: string, next: string | undefined, { entries, fresh }: PageContent): string | undefined {
    this.#seen.add(url);
    if (next === undefined) return undefined;
    if (this.#seen.has(next)) {
      // An empty last page may have a link, with the place of no entry in it: back to the first page, or to itself.
      if (entries === 0) return undefined;
      throw this.#failure('its pages lead in a circle');
    }
    this.#idlePages = fresh === 0 ? this.#idlePages + 1 : 0;
    if (this.#idlePages > MAX_IDLE_PAGES)
      throw this.#failure(`${this.#idlePages} pages one after the other have nothing new`);
    if (this.#seen.size >= MAX_PAGES) throw this.#failure(`it does not end after ${MAX_PAGES} pages`);
    return next;
  }
}
