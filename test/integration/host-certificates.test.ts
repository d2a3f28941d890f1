import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { readAll } from '../../src/core/byte-source.ts';
import { digestOf } from '../../src/core/digest.ts';
import { createServices } from '../../src/engine/services.ts';
import { listen } from '../../src/http/loopback.fixtures.ts';
import { createAuthority } from '../../src/testkit/authority.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../src/testkit/registry.ts';
import { temporaryFolder } from '../support/tools.ts';

const company = createAuthority('Company Root');
const clients = createAuthority('Clients Root');
const robot = clients.issue('robot');
const LOGIN = { user: 'ann', password: 'p' };

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

// `localhost` is spoken to over HTTP always, so these go by another name of this machine.
const HOST = '0.0.0.0';
const NO_STORE = { SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: '/dev/null' };

async function registryOf(
  t: TestContext,
  options: RegistryOptions & { readonly clientCa?: string } = {},
): Promise<EmbeddedRegistry> {
  const { clientCa, ...rest } = options;
  const tls = { ...company.issue(HOST), ...(clientCa === undefined ? {} : { clientCa }) };
  const registry = await startRegistry({ host: HOST, tls, auth: { kind: 'bearer', ...LOGIN }, ...rest });
  t.after(() => registry.close());
  return registry;
}

/** Returns the `host:port` of a server of the company that asks for a certificate and does without one. */
async function serveTls(t: TestContext, listener: http.RequestListener): Promise<string> {
  const options = { ...company.issue(HOST), requestCert: true, rejectUnauthorized: false };
  const { port } = await listen(t, https.createServer(options, listener), HOST);
  return `${HOST}:${port}`;
}

/** A user's own folder with `files` for a registry, and what is reached with it. */
async function userOf(t: TestContext, host: string, files: Readonly<Record<string, string>>) {
  const home = await temporaryFolder(t);
  write(path.join(home, '.config/containers/certs.d', host), files);
  const login = async () => ({ kind: 'basic', username: LOGIN.user, password: LOGIN.password }) as const;
  const env = { HOME: home, WEIGHBRIDGE_RETRY_SECONDS: '0', ...NO_STORE };
  const services = createServices(env, () => undefined, login);
  t.after(() => services.http.close());
  return services;
}

test('the registry, its token service and where it keeps its blobs are trusted; its certificate is shown to it alone', async t => {
  const registry = await registryOf(t, {
    ...{ clientCa: clients.cert, quirks: { redirectBlobs: true } },
  });
  const files = { 'ca.crt': company.cert, 'client.cert': robot.cert, 'client.key': robot.key };
  const { openRepository } = await userOf(t, registry.host, files);
  const store = openRepository(`${registry.host}/acme/x`, 'push');
  const upload = await store.startUpload({ sizeBytes: 5 });
  const content = Buffer.from('hello');
  const digest = digestOf(content);
  await upload.write(content);
  await upload.commit(digest);
  const blob = store.openBlob({ mediaType: 'application/octet-stream', digest, size: content.length });
  assert.deepEqual(await readAll(blob, content.length), content);
  const seen = new Set(registry.log.map(({ origin, client }) => `${origin} ${client}`));
  assert.deepEqual([...seen].sort(), ['cdn undefined', 'registry robot']);
});

test('a token service elsewhere, and where an upload is sent, are trusted and not shown the certificate', async t => {
  const seen: string[] = [];
  const answer = (listener: http.RequestListener) =>
    serveTls(t, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      seen.push(`${request.method} ${request.url?.split('?')[0]} ${subject?.CN}`);
      listener(request, response);
    });
  const service = await answer((_, response) => response.end('{"token":"t"}'));
  const storage = await answer((_, response) => response.writeHead(201).end());
  const registry = await answer((request, response) => {
    const isKnown = request.headers.authorization === 'Bearer t';
    const realm = `Bearer realm="https://${service}/token"`;
    if (!isKnown) response.writeHead(401, { 'www-authenticate': realm }).end();
    else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '0' }).end();
    else response.writeHead(202, { location: `https://${storage}/upload` }).end();
  });
  const files = { 'ca.crt': company.cert, 'client.cert': robot.cert, 'client.key': robot.key };
  const { openRepository } = await userOf(t, registry, files);
  const upload = await openRepository(`${registry}/acme/x`, 'push').startUpload({ sizeBytes: 0 });
  await upload.commit(digestOf(''));
  assert.deepEqual(
    [...new Set(seen)],
    [
      'POST /v2/acme/x/blobs/uploads/ robot',
      'GET /token undefined',
      'PUT /upload undefined',
      `HEAD /v2/acme/x/blobs/${digestOf('')} robot`,
    ],
  );
});

test('a registry of another port, or without a folder, is not trusted, and the folder to make is named', async t => {
  const [registry, neighbor] = [await registryOf(t), await registryOf(t)];
  const { openRepository } = await userOf(t, registry.host, { 'ca.crt': company.cert });
  assert.deepEqual(await openRepository(`${registry.host}/acme/x`, 'pull').listTags(5), []);
  await assert.rejects(openRepository(`${neighbor.host}/acme/x`, 'pull').listTags(5), {
    ...{ code: 'REGISTRY_UNREACHABLE', message: /is not trusted/ },
    remedy: new RegExp(`certs\\.d/${neighbor.host}/ca\\.crt, or name its file as \`ca\``),
  });
  assert.equal(neighbor.log.length, 0);
});

test('a file without a certificate is named in the error if the registry is not trusted', async t => {
  const registry = await registryOf(t);
  const { openRepository } = await userOf(t, registry.host, { 'ca.crt': 'x', 'more.crt': clients.cert });
  await assert.rejects(openRepository(`${registry.host}/acme/x`, 'pull').listTags(5), {
    message: /is not trusted \(\w+\); .*\/ca\.crt has no certificate in PEM form$/,
  });
});

test('a certificate without its key fails what needs the registry, and nothing else', async t => {
  const [registry, other] = [await registryOf(t), await registryOf(t)];
  const { openRepository, connect } = await userOf(t, registry.host, { 'client.cert': robot.cert });
  const file = path.join(await temporaryFolder(t), 'ca.pem');
  writeFileSync(file, company.cert);
  connect([{ registry: other.host, isPlainHttp: false, caFile: file }]);
  await assert.rejects(openRepository(`${registry.host}/acme/x`, 'pull').listTags(5), {
    code: 'CONFIG_INVALID',
  });
  assert.deepEqual(await openRepository(`${other.host}/acme/x`, 'pull').listTags(5), []);
});

test('a registry that wants a certificate says so, and where to put it', async t => {
  const registry = await registryOf(t, { clientCa: clients.cert });
  const { openRepository } = await userOf(t, registry.host, { 'ca.crt': company.cert });
  await assert.rejects(openRepository(`${registry.host}/acme/x`, 'pull').listTags(5), {
    ...{
      code: 'REGISTRY_UNAUTHORIZED',
      message: /does not accept the certificate of this client, or requires one$/,
    },
    remedy:
      /^Put a certificate that it accepts, with its key, into .*\/certs\.d\/.* as client\.cert and client\.key\.$/,
  });
});

test('a registry that ends a handshake without a reason, as over TLS 1.2 for want of a certificate, may want one', async t => {
  // An alert of a handshake that failed; nothing else comes from OpenSSL's server there.
  const server = net.createServer(socket => {
    socket
      .on('error', () => undefined)
      .once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])));
  });
  await new Promise<void>(resolve => server.listen(0, HOST, resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const { openRepository } = await userOf(t, `${HOST}:${port}`, {});
  await assert.rejects(openRepository(`${HOST}:${port}/acme/x`, 'pull').listTags(5), {
    ...{
      code: 'REGISTRY_UNREACHABLE',
      message: /no TLS could .*, or it requires a certificate of this client$/,
    },
    remedy: /^If it requires .* into .*certs\.d\/0\.0\.0\.0:\d+ as client\.cert and client\.key; otherwise/,
  });
});

for (const said of ['No required SSL certificate was sent', 'The SSL certificate error'])
  test(`the same as nginx tells it: ${said}`, async t => {
    const body = `<html><head><title>400 ${said}</title></head></html>`;
    const host = await serveTls(t, (_, response) => response.writeHead(400).end(body));
    const { openRepository } = await userOf(t, host, { 'ca.crt': company.cert });
    await assert.rejects(openRepository(`${host}/acme/x`, 'pull').listTags(5), {
      ...{ code: 'REGISTRY_UNAUTHORIZED', status: 400, remedy: /as client\.cert and client\.key/ },
    });
  });
