import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../core/errors.ts';
import { isLoopbackHost } from './hosts.ts';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** Returns the environment with `proxy:3128` written as `http://proxy:3128`, which is what curl and Go's programs read in it. */
export function withProxySchemes(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const bare = PROXY_VARIABLES.flatMap(name => {
    const value = env[name] ?? '';
    const isBare = !value.includes('://') && URL.parse(`http://${value}`)?.port;
    return isBare ? [[name, `http://${value}`] as const] : [];
  });
  return bare.length === 0 ? env : { ...env, ...Object.fromEntries(bare) };
}

/**
 * Returns through which proxy an address is reached; undefined for those that are reached without one. Decided here, and
 * for every request: what is reached without a proxy has its name looked up here, with care.
 */
export function proxyChoice(env: NodeJS.ProcessEnv): (url: URL) => ChosenProxy | undefined {
  const isExcepted = exceptions(env.no_proxy || env.NO_PROXY || '');
  const plain = proxyIn(env, ['http_proxy', 'HTTP_PROXY']);
  const secure = proxyIn(env, ['https_proxy', 'HTTPS_PROXY']);
  return url => {
    const proxy = url.protocol === 'https:' ? secure : plain;
    return proxy === undefined || isLoopbackHost(url.hostname) || isExcepted(url) ? undefined : proxy;
  };
}

/** The first variable that is set counts: lower case goes before upper, as for curl. */
function proxyIn(env: NodeJS.ProcessEnv, variables: readonly string[]): ChosenProxy | undefined {
  const variable = variables.find(name => Boolean(env[name]));
  const url = variable === undefined ? null : URL.parse(env[variable] ?? '');
  return variable === undefined || url === null ? undefined : { ...addressOf(variable, url), url };
}

/**
 * What `NO_PROXY` excepts, in all forms that curl, Go's programs and Node know: a host, its port (`example.com:80`), a
 * domain with what is under it (`example.com`, `.example.com`) or that alone (`*.example.com`), an address, a net
 * (`10.0.0.0/8`), a range (`10.0.0.1-10.0.0.9`), or all (`*`).
 */
function exceptions(list: string): (url: URL) => boolean {
  const nets = new BlockList();
  const names: { readonly name: string; readonly isOnlyUnder: boolean; readonly port: string }[] = [];
  for (const entry of list.toLowerCase().split(/[\s,]+/)) {
    const [, net = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const [, first = '', last = ''] = /^([\d.]+)-([\d.]+)$/.exec(entry) ?? [];
    const address = entry.replace(/^\[|\]$/g, '');
    const [, front, name, port = ''] = /^(\*?\.)?([^:/*]+)(?::(\d+))?$/.exec(entry) ?? [];
    if (isIP(net) !== 0) {
      if (Number(bits) <= (isIP(net) === 4 ? 32 : 128)) nets.addSubnet(net, Number(bits), familyOf(net));
    } else if (isIP(first) === 4 && isIP(last) === 4) {
      if (numberOf(first) <= numberOf(last)) nets.addRange(first, last, 'ipv4');
    } else if (isIP(address) !== 0) nets.addAddress(address, familyOf(address));
    else if (name !== undefined) names.push({ name, isOnlyUnder: front === '*.', port });
  }
  const isAll = /(?:^|[\s,])\*(?:$|[\s,])/.test(list);
  return ({ hostname, port, protocol }) => {
    if (isAll) return true;
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && nets.check(host, familyOf(host))) return true;
    const ownPort = port || (protocol === 'https:' ? '443' : '80');
    return names.some(
      one =>
        ((host === one.name && !one.isOnlyUnder) || (isIP(host) === 0 && host.endsWith(`.${one.name}`))) &&
        ['', ownPort].includes(one.port),
    );
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Returns the `Proxy-Authorization` header for a proxy; undefined if its address has no login. */
export function loginOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const login = [username, password].map(decodeURIComponent).join(':');
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

/**
 * Refuses a proxy address that Node would take for something else; its own error would print the password in it.
 * Throws ConfigError CONFIG_INVALID.
 */
export function checkProxyEnv(env: NodeJS.ProcessEnv): void {
  for (const name of PROXY_VARIABLES) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    const url = URL.parse(value);
    if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
      throw new ConfigError(`${name} is not the address of an HTTP proxy`, {
        code: 'CONFIG_INVALID',
        subject: name,
        remedy: `Write it as http://host:port or https://host:port, or unset ${name}.`,
      });
    }
  }
}

/** A proxy of the environment, for errors: without its login. */
export interface ProxyAddress {
  /** The variable that names it. */
  readonly variable: string;
  readonly hostname: string;
  readonly port: number;
  readonly isHttps: boolean;
}

/** A proxy that requests go through. */
export interface ChosenProxy extends ProxyAddress {
  /** With its login. */
  readonly url: URL;
}

/** Returns the proxies that the environment names, for errors. */
export function proxiesOf(env: NodeJS.ProcessEnv): ProxyAddress[] {
  return PROXY_VARIABLES.flatMap(variable => {
    const url = URL.parse(env[variable] ?? '');
    return url === null ? [] : [addressOf(variable, url)];
  });
}

function addressOf(variable: string, url: URL): ProxyAddress {
  const isHttps = url.protocol === 'https:';
  return { variable, hostname: url.hostname, port: Number(url.port || (isHttps ? 443 : 80)), isHttps };
}
