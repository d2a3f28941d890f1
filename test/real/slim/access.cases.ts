import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startGateway } from './gateway.ts';
import { type CaseGroup, type SlimCase, withEachLibrary } from './table.ts';
import { type SlimRun, type SlimWorld, TOKEN, TOKEN_WITHOUT_ACCESS } from './world.ts';

/** Who may fetch, and by what way: tokens, proxies, certificates. */
export const ACCESS: CaseGroup = {
  title: 'access',
  cases: [
    ...refused('gated, no token', 1, /org\/gated is gated; accept its terms .* and set HF_TOKEN/, {}),
    ...refused('gated, a token without access', 3, /org\/gated is gated, and the token .* has no access/, {
      HF_TOKEN: TOKEN_WITHOUT_ACCESS,
    }),
    ...refused('a token that the Hub does not know', 4, /the Hub does not know the token/, {
      HF_TOKEN: 'hf_no',
    }),
    ...withEachLibrary({
      name: 'HF_TOKEN',
      run: (world, base) => admits(world, { base, env: { HF_TOKEN: TOKEN } }),
    }),
    {
      name: 'HUGGING_FACE_HUB_TOKEN, with an empty HF_TOKEN',
      run: world => admits(world, { env: { HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: TOKEN } }),
    },
    ...withEachLibrary({
      name: 'HF_TOKEN_PATH, non-root, home not writable',
      async run(world, base) {
        const file = await tokenFile(world);
        const env = { HF_TOKEN_PATH: '/run/secrets/token' };
        return admits(world, { base, env, user: '12345', volumes: [`${file}:/run/secrets/token:ro`] });
      },
    }),
    {
      name: 'a token file in HF_HOME',
      run: async world => {
        const file = await tokenFile(world);
        return admits(world, { volumes: [`${file}:/root/.cache/huggingface/token:ro`] });
      },
    },
    troubled('repository made private', 1, /org\/gated is private or not there/, {}, world => {
      world.hub.repository('org/gated').isPrivate = true;
      return () => {
        world.hub.repository('org/gated').isPrivate = false;
      };
    }),
    troubled('repository deleted', 10, /org\/gated is gone from the Hub/, { HF_TOKEN: TOKEN }, world =>
      answering(world, 'RepoNotFound'),
    ),
    troubled('repository disabled by the Hub', 10, /the Hub has disabled access to org\/gated/, {}, world => {
      world.hub.repository('org/gated').isDisabled = true;
      return () => {
        world.hub.repository('org/gated').isDisabled = false;
      };
    }),
    troubled(
      'the pinned commit is gone',
      10,
      /org\/gated has no revision [0-9a-f]{40}/,
      { HF_TOKEN: TOKEN },
      world => answering(world, 'RevisionNotFound'),
    ),
    ...withEachLibrary({
      name: 'through a proxy only',
      async run(world, base) {
        await using proxy = await startGateway(world.hub.url);
        const env = { HF_ENDPOINT: 'http://hub.invalid', HTTP_PROXY: proxy.url, http_proxy: proxy.url };
        await world.brings(await world.newVolume(), { base, env });
        return `${proxy.requests} requests came through the proxy`;
      },
    }),
    ...withEachLibrary({
      name: 'over TLS with a CA of its own',
      async run(world, base) {
        await using gateway = await startGateway(world.hub.url, 'tls');
        const file = path.join(await world.newVolume(), 'ca.pem');
        await writeFile(file, gateway.cert);
        const volumes = [`${file}:/ca.pem:ro`];
        const ca = { SSL_CERT_FILE: '/ca.pem', REQUESTS_CA_BUNDLE: '/ca.pem' };
        const env = { HF_ENDPOINT: gateway.url };
        const without = await world.newVolume();
        const line = await world.fails(
          18,
          /certificate of https:.* is not trusted; set SSL_CERT_FILE/,
          without,
          {
            base,
            env,
            volumes,
          },
        );
        await world.brings(await world.newVolume(), { base, volumes, env: { ...env, ...ca } });
        return `with SSL_CERT_FILE and REQUESTS_CA_BUNDLE all is there; without, ${line}`;
      },
    }),
  ],
};

async function admits(world: SlimWorld, run: SlimRun): Promise<string> {
  const { downloadedBytes, stderr } = await world.brings(await world.newVolume(), { ...run, model: 'gated' });
  if (stderr.includes(TOKEN)) throw new Error('the token is in the log');
  return `${downloadedBytes} bytes; the token is not in the log`;
}

function refused(name: string, status: number, line: RegExp, env: Record<string, string>): SlimCase[] {
  const run = async (world: SlimWorld, base: string) =>
    world.fails(status, line, await world.newVolume(), { base, env, model: 'gated' });
  return withEachLibrary({ name, ...(status === 1 ? { isShort: true } : {}), run });
}

function troubled(
  name: string,
  status: number,
  line: RegExp,
  env: Record<string, string>,
  trouble: (world: SlimWorld) => () => void,
): SlimCase {
  const run = async (world: SlimWorld) => {
    const undo = trouble(world);
    try {
      return await world.fails(status, line, await world.newVolume(), { env, model: 'gated' });
    } finally {
      undo();
    }
  };
  return { name, run };
}

function answering(world: SlimWorld, code: string): () => void {
  const headers = { 'x-error-code': code };
  const fault = world.hub.faults.add({ match: /resolve/, kind: 'status', status: 404, headers, times: 1000 });
  return () => fault.remove();
}

async function tokenFile(world: SlimWorld): Promise<string> {
  const folder = path.join(await world.newVolume(), 'secrets');
  await mkdir(folder);
  const file = path.join(folder, 'token');
  await writeFile(file, `${TOKEN}\n`);
  await chmod(file, 0o444);
  return file;
}
