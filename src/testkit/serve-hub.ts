import { parseArgs } from 'node:util';
import { startHub } from './hub.ts';
import { serveUntilTerminated } from './server/serve.ts';

// A Hub in a process of its own: `node src/testkit/serve-hub.ts --folder X [--port 0] [--host …] [--token hf_…]`
// prints one line of JSON with its addresses.
const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    token: { type: 'string' },
  },
});

const hub = await startHub({
  host: values.host,
  port: Number(values.port),
  ...(values.folder === undefined ? {} : { folder: values.folder }),
  ...(values.token === undefined ? {} : { token: values.token }),
});
await serveUntilTerminated({ url: hub.url, cdnUrl: hub.cdnUrl }, () => hub.close());
