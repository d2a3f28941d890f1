import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  setDefaultCACertificates,
} from 'node:tls';
import { readSystemAuthorities, type SystemAuthorities } from './system-authorities.ts';

/** A certificate that says to one server who we are, with its key, which nothing prints. */
export class ClientIdentity {
  /** Where it is from, for people; another identity has another name. */
  readonly name: string;
  readonly #options: Pick<SecureContextOptions, 'cert' | 'key'>;

  constructor(name: string, options: Pick<SecureContextOptions, 'cert' | 'key'>) {
    this.name = name;
    this.#options = options;
  }

  get options(): Pick<SecureContextOptions, 'cert' | 'key'> {
    return this.#options;
  }
}

/** Whom a connection believes besides the usual authorities, and who it says that we are. */
export interface TlsSettings {
  /** Certificates in PEM form. */
  readonly ca?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
}

/**
 * The authorities that a client believes: Node's own with those of `NODE_EXTRA_CA_CERTS`, and the system's. Nothing is
 * read before a server has to be known by them.
 */
export class Trust {
  readonly #env: NodeJS.ProcessEnv;
  #system: SystemAuthorities | undefined;
  #added: readonly string[] | undefined;
  readonly #contexts = new Map<string, SecureContext>();

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** The system's store, as it was when it was first needed. */
  get system(): SystemAuthorities {
    this.#system ??= readSystemAuthorities(this.#env);
    return this.#system;
  }

  /** What connections with these settings are made with; undefined if Node's default is all. */
  context({ ca, identity }: TlsSettings): SecureContext | undefined {
    const added = this.#missing();
    if (added.length === 0 && ca === undefined && identity === undefined) return undefined;
    const key = `${identity?.name ?? ''}\0${ca ?? ''}`;
    let context = this.#contexts.get(key);
    if (context === undefined) {
      // Parsing some two hundred certificates takes milliseconds: once for each set of them, not for each connection.
      const authorities = [...getCACertificates('default'), ...added, ...(ca === undefined ? [] : [ca])];
      context = createSecureContext({ ca: authorities, ...identity?.options });
      this.#contexts.set(key, context);
    }
    return context;
  }

  /**
   * Has all of this process believe the system's authorities: for connections that Node or a library makes for us, and
   * that take no settings.
   */
  addToProcess(): void {
    const added = this.#missing();
    if (added.length > 0) setDefaultCACertificates([...getCACertificates('default'), ...added]);
    this.#added = [];
  }

  /** Those of the system's that Node does not know. */
  #missing(): readonly string[] {
    if (this.#added === undefined) {
      const known = new Set(getCACertificates('default').map(withoutBreaks));
      this.#added = this.system.certificates.filter(pem => !known.has(withoutBreaks(pem)));
    }
    return this.#added;
  }
}

/** Lines are of any length, and of another in Node's list than in most stores. */
function withoutBreaks(pem: string): string {
  return pem.replace(/\s+/g, '');
}
