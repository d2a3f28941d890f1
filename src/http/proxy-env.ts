import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../core/errors.ts';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** Whether requests may have to go through a proxy. */
export function hasProxy(env: NodeJS.ProcessEnv): boolean {
  return PROXY_VARIABLES.some(name => Boolean(env[name]));
}

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
 * Returns whether an address is reached without the proxy for a form of `NO_PROXY` that Node does not know, and curl and
 * Go's programs do: a net (`10.0.0.0/8`), or a domain that stands for the hosts under it (`example.com`).
 */
export function beyondProxy(env: NodeJS.ProcessEnv): (url: URL) => boolean {
  const nets = new BlockList();
  const domains: { readonly suffix: string; readonly port: string }[] = [];
  for (const entry of (env.no_proxy || env.NO_PROXY || '').toLowerCase().split(/[\s,]+/)) {
    const [, net = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(net);
    const [, domain, port = ''] = /^([a-z0-9][a-z0-9.-]*)(?::(\d+))?$/.exec(entry) ?? [];
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128))
      nets.addSubnet(net, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
    else if (domain !== undefined && isIP(domain) === 0) domains.push({ suffix: `.${domain}`, port });
  }
  return ({ hostname, port, protocol }) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(host);
    if (family !== 0) return nets.check(host, family === 4 ? 'ipv4' : 'ipv6');
    const ownPort = port || (protocol === 'https:' ? '443' : '80');
    return domains.some(domain => host.endsWith(domain.suffix) && ['', ownPort].includes(domain.port));
  };
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

/** Returns the proxies that the environment names, for errors. */
export function proxiesOf(env: NodeJS.ProcessEnv): ProxyAddress[] {
  return PROXY_VARIABLES.flatMap(variable => {
    const url = URL.parse(env[variable] ?? '');
    if (url === null) return [];
    const isHttps = url.protocol === 'https:';
    return [{ variable, hostname: url.hostname, port: Number(url.port || (isHttps ? 443 : 80)), isHttps }];
  });
}
