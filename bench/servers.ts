import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { runOk, startServerProcess, stopServer } from '../test/support/tools.ts';
import { type BenchModel, modelInfo } from './model-data.ts';

/** A server process whose CPU time is counted apart from that of what is measured. */
export interface Server {
  /** `127.0.0.1:<port>`, or the machine's own address where it speaks TLS. */
  readonly host: string;
  readonly url: string;
  /** The processes that do its work. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An address of this machine that is not a loopback one, so that Weighbridge speaks TLS to it. */
export function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

export async function makeCertificate(folder: string, address: string): Promise<Certificate> {
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=bench', '-addext', `subjectAltName=IP:${address}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await runOk('openssl', ['req', '-x509', ...kind, ...subject, '-out', files.cert, '-keyout', files.key]);
  return files;
}

/** The Hub's pages about a model as files, and the files themselves behind a redirect as of its storage: nginx. */
export async function startHub(
  folder: string,
  model: BenchModel,
  options: {
    readonly tls?: Certificate & { readonly address: string };
    /** MiB a second that one connection brings of a weight file; no limit where it is not given. */
    readonly connectionRate?: number | undefined;
    /** Under which the Hub has the model; its own where they are not given. */
    readonly ids?: readonly string[];
    /** What goes before the command. */
    readonly prefix?: readonly string[];
  } = {},
): Promise<Server> {
  const { tls } = options;
  const port = await freePort();
  const host = `${tls?.address ?? '127.0.0.1'}:${port}`;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  mkdirSync(folder, { recursive: true });
  const { ids = [model.id] } = options;
  const pages = ids.map((id, index) => {
    const file = path.join(folder, `info-${index}.json`);
    writeFileSync(file, modelInfo({ ...model, id }));
    return { id, file };
  });
  const config = path.join(folder, 'nginx.conf');
  writeFileSync(
    config,
    nginxConfig({ folder, model, pages, url, port, tls, connectionRate: options.connectionRate }),
  );
  const nginx = ['nginx', '-p', folder, '-c', config, '-e', path.join(folder, 'error.log')];
  const child = start([...(options.prefix ?? []), ...nginx]);
  await untilAnswered(port);
  const pids = await childrenOf(child);
  return { host, url, pids, stop: () => stop(child) };
}

/** The testkit's Hub in a process of its own: what reads by the Hub's own library asks for more than pages of nginx. */
export async function startTestkitHub(
  folder: string,
  model: BenchModel,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const repository = path.join(folder, model.id);
  mkdirSync(repository, { recursive: true });
  for (const file of model.files)
    await runOk('cp', [path.join(model.folder, file.storedAs), path.join(repository, file.path)]);
  const program = path.join(import.meta.dirname, '..', 'src', 'testkit', 'serve-hub.ts');
  const { child, ready } = await startServerProcess(process.execPath, [program, '--folder', folder]);
  return {
    url: ready.url as string,
    stop: async () => {
      await stopServer(child);
    },
  };
}

function nginxConfig(options: {
  readonly folder: string;
  readonly model: BenchModel;
  /** What the API says of a model, each a file. */
  readonly pages: readonly { readonly id: string; readonly file: string }[];
  readonly url: string;
  readonly port: number;
  readonly tls: Certificate | undefined;
  readonly connectionRate: number | undefined;
}): string {
  const { folder, model, pages, url, port, tls, connectionRate } = options;
  const limit = connectionRate === undefined ? '' : `limit_rate ${connectionRate}m; `;
  const files = model.files.map(
    file => `  location = /store/${file.path} { ${limit}alias ${path.join(model.folder, file.storedAs)}; }`,
  );
  const answers = pages.flatMap(({ id, file }) =>
    ['main', model.revision].map(
      revision =>
        `    location = /api/models/${id}/revision/${revision} { default_type application/json; alias ${file}; }`,
    ),
  );
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 60;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen ${port}${tls === undefined ? '' : ' ssl'} backlog=256;
${tls === undefined ? '' : `    ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`}
${answers.join('\n')}
    location ~ ^/[^/]+/[^/]+/resolve/${model.revision}/(.+)$ {
      add_header X-Repo-Commit ${model.revision} always;
      return 302 ${url}/store/$1?signature=none;
    }
${files.join('\n')}
  }
}
`;
}

export async function startSink(tls?: Certificate & { readonly address: string }): Promise<Server> {
  const files = tls === undefined ? [] : ['--cert', tls.cert, '--key', tls.key];
  const program = path.join(import.meta.dirname, 'sink.ts');
  const { child, ready } = await startServerProcess(process.execPath, [program, ...files]);
  const host = `${tls?.address ?? '127.0.0.1'}:${ready.port}`;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  return {
    host,
    url,
    pids: [child.pid ?? 0],
    stop: async () => {
      await stopServer(child);
    },
  };
}

/** The CNCF distribution registry (Debian: docker-registry), which keeps its blobs in `folder`. */
export async function startDistribution(folder: string, prefix: readonly string[] = []): Promise<Server> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = path.join(folder, 'config.yml');
  // It reads YAML, of which JSON is a part.
  const settings = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
    http: { addr: host, secret: 'bench' },
  };
  writeFileSync(config, JSON.stringify(settings));
  const child = start([...prefix, 'docker-registry', 'serve', config]);
  await untilAnswered(port);
  return { host, url: `http://${host}`, pids: [child.pid ?? 0], stop: () => stop(child) };
}

function start([program = '', ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' });
}

async function untilAnswered(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    if (attempt === 100) throw new Error(`nothing answers at port ${port}`);
    await sleep(50);
  }
}

async function childrenOf(child: ChildProcess): Promise<number[]> {
  const text = await runOk('cat', [`/proc/${child.pid}/task/${child.pid}/children`]);
  return text.trim().split(' ').map(Number);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise(resolve => child.once('close', resolve));
  child.kill('SIGTERM');
  await ended;
}
