import type { Exchange } from '../server/exchange.ts';
import type { Access, AuthDesk } from './auth.ts';
import { answerBlob } from './blob-routes.ts';
import { answerCatalog, answerTags } from './list-routes.ts';
import { answerManifest, answerReferrers } from './manifest-routes.ts';
import { problem } from './problem.ts';
import type { RegistryState } from './state.ts';
import { answerUpload, isElsewhere, startUpload } from './upload-routes.ts';

type Route = (state: RegistryState, exchange: Exchange, name: string, rest: string) => Promise<void>;

// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
const ROUTES: readonly (readonly [RegExp, Route])[] = [
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, startUpload],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, answerUpload],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, answerBlob],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, answerManifest],
  [/^\/v2\/(.+)\/tags\/list$/, answerTags],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, answerReferrers],
];

/** What the registry does with a request. Throws the registry's problem for a request that it refuses. */
export async function answerRegistry(
  state: RegistryState,
  desk: AuthDesk,
  exchange: Exchange,
): Promise<void> {
  const path = decodeURIComponent(exchange.url.pathname);
  if (path === '/token') return await desk.answerToken(exchange);
  exchange.always({ 'docker-distribution-api-version': 'registry/2.0' });
  if (path === '/v2/' || path === '/v2') {
    desk.check(exchange, []);
    return await exchange.sendJson(200, {});
  }
  if (path === '/v2/_catalog') {
    desk.check(exchange, [{ type: 'registry', name: 'catalog', actions: ['*'] }]);
    return await answerCatalog(state, exchange);
  }
  for (const [pattern, route] of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const [, name = '', rest = ''] = match;
    if (route === answerUpload && isElsewhere(state, exchange)) {
      if (exchange.header('authorization') !== undefined) state.counters.leakedTokens += 1;
    } else {
      desk.check(exchange, accessFor(exchange, name));
    }
    return await route(state, exchange, name, rest);
  }
  throw problem(404, 'UNSUPPORTED', '404 page not found');
}

/** As Docker's registry has it: giving up an upload is a DELETE too, and a mount reads another repository. */
function accessFor(exchange: Exchange, name: string): Access[] {
  const { method, url } = exchange;
  const isRead = method === 'GET' || method === 'HEAD';
  const actions = isRead ? ['pull'] : method === 'DELETE' ? ['delete'] : ['pull', 'push'];
  const own = { type: 'repository', name, actions };
  const from = url.searchParams.get('from');
  if (method !== 'POST' || from === null || from === name) return [own];
  return [own, { type: 'repository', name: from, actions: ['pull'] }];
}
