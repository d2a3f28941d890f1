import type { HttpResponse } from '../../http/types.ts';

interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A public Hub has named it: its name may come to mean another address, and none of a private network. */
  readonly isPublicOnly?: boolean;
}

/**
 * Where a file is asked for: at the Hub at first and after a failure, else where the Hub has sent us on to, so that it
 * is not asked again for each part of one file (it limits that: 3,000 in five minutes for those it does not know).
 */
export class FileLink {
  readonly #atHub: Address;
  #storage: Address | undefined;
  #hasRanges = false;

  constructor(atHub: Address) {
    this.#atHub = atHub;
  }

  /** Where to ask next, with the headers for that origin alone. */
  address(): Address {
    return this.#storage ?? this.#atHub;
  }

  /** Whether parts of the file can be had without asking the Hub for each. */
  get canBeShared(): boolean {
    return this.#storage !== undefined && this.#hasRanges;
  }

  /** An answer has come, from wherever it was that redirects led to. */
  note({ url, status, headers, isPublicOnly }: HttpResponse): void {
    this.#hasRanges = status === 206 || headers['accept-ranges'] === 'bytes';
    if (url === this.address().url) return;
    // A token belongs to the origin it was made for.
    const isHubs = new URL(url).origin === new URL(this.#atHub.url).origin;
    this.#storage = { url, headers: isHubs ? this.#atHub.headers : {}, isPublicOnly };
  }

  /** Has the Hub asked again: a signed link has expired, or its server fails. */
  forget(): void {
    this.#storage = undefined;
  }
}
