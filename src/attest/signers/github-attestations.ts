import * as z from 'zod';
import { ConfigError, SigningError } from '../../core/errors.ts';
import { parseJson } from '../../core/json-shape.ts';
import { plainLine } from '../../core/safe-text.ts';
import { hideSecrets } from '../../core/secrets.ts';
import type { HttpClient } from '../../http/client.ts';
import { kindOf, type StatementKind } from '../statement.ts';
import type { StatementSigner } from './signer.ts';

/** What GitHub's store is given: what is said of an image, and not its bare signature or what changes each week. */
const STORED: ReadonlySet<StatementKind | undefined> = new Set<StatementKind>([
  'provenance',
  'bom',
  'license',
]);
const GHCR = 'ghcr.io/';
const MAX_ANSWER_BYTES = 64 * 1024;

interface GithubStoreOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly http: HttpClient;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a signer that also gives what it signs to the attestation store of the repository whose workflow this is, so
 * that `gh attestation verify` finds it. An image of another registry than GHCR is not GitHub's. Throws ConfigError
 * USAGE if this is not a workflow's job with a token.
 */
export function withGithubStore(signer: StatementSigner, options: GithubStoreOptions): StatementSigner {
  const { GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = options.env;
  if (!repository || !token) {
    throw new ConfigError(
      "`github_attestations` needs GITHUB_REPOSITORY and GITHUB_TOKEN, which are a workflow's",
      {
        code: 'USAGE',
        subject: 'signing.github_attestations',
        remedy:
          'Publish in GitHub Actions with `permissions: attestations: write` and GITHUB_TOKEN in its environment, or turn it off.',
      },
    );
  }
  return {
    ...signer,
    async sign(payload, signOptions = {}) {
      const bundle = await signer.sign(payload, signOptions);
      const isStored = signOptions.repository?.startsWith(GHCR) && STORED.has(kindIn(payload));
      // Before the registry has it: what was not stored is signed again by the next run, and stored then.
      if (isStored) await store(bundle, { ...options, repository, token });
      return bundle;
    },
  };
}

/** https://docs.github.com/en/rest/repos/attestations#create-an-attestation */
async function store(
  bundle: Buffer,
  { env, http, signal, repository, token }: GithubStoreOptions & { repository: string; token: string },
): Promise<void> {
  const apiUrl = (env.GITHUB_API_URL || 'https://api.github.com').replace(/\/+$/, '');
  const purpose = `storing an attestation of ${plainLine(repository, 100)}`;
  const response = await http.request({
    method: 'POST',
    url: `${apiUrl}/repos/${repository.split('/').map(encodeURIComponent).join('/')}/attestations`,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-github-api-version': '2022-11-28',
    },
    body: Buffer.concat([Buffer.from('{"bundle":'), bundle, Buffer.from('}')]),
    purpose,
    signal,
  });
  const { status } = response;
  if (status === 201) {
    response.discard();
    return;
  }
  const said = hideSecrets(messageIn(await response.bytes(MAX_ANSWER_BYTES)));
  const isDenied = status === 401 || status === 403 || status === 404;
  throw new SigningError(`${purpose}: GitHub answered ${status}${said && ` (${plainLine(said)})`}`, {
    code: isDenied ? 'SIGNING_IDENTITY' : 'SIGNING_SERVICE',
    subject: repository,
    remedy: isDenied
      ? 'Give the job `permissions: attestations: write`. GitHub stores attestations of public repositories, and of private ones in GitHub Enterprise.'
      : 'Run the command again: what is published stays as it is.',
  });
}

function kindIn(payload: Buffer): StatementKind | undefined {
  return kindOf(
    z.object({ predicateType: z.string() }).parse(parseJson(payload.toString('utf8'))).predicateType,
  );
}

function messageIn(bytes: Buffer): string {
  try {
    return z.object({ message: z.string() }).safeParse(parseJson(bytes.toString('utf8'))).data?.message ?? '';
  } catch {
    return '';
  }
}
