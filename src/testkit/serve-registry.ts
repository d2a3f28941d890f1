import { parseArgs } from 'node:util';
import { startRegistry } from './registry.ts';
import { serveUntilTerminated } from './server/serve.ts';

// A registry in a process of its own: `node src/testkit/serve-registry.ts [--port 0] [--host …] [--folder X]
// [--discard-blobs] [--user u --password p] [--quirks '<JSON>']` prints one line of JSON with its address.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    folder: { type: 'string' },
    'discard-blobs': { type: 'boolean', default: false },
    user: { type: 'string' },
    password: { type: 'string' },
    quirks: { type: 'string', default: '{}' },
  },
});

const { user, password, folder } = values;
const registry = await startRegistry({
  host: values.host,
  port: Number(values.port),
  discardBlobs: values['discard-blobs'],
  quirks: JSON.parse(values.quirks),
  ...(folder === undefined ? {} : { storage: { folder } }),
  ...(user === undefined || password === undefined ? {} : { auth: { kind: 'bearer', user, password } }),
});
await serveUntilTerminated({ url: registry.url, host: registry.host }, () => registry.close());
