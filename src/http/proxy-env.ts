import { ConfigError } from '../core/errors.ts';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** Whether requests may have to go through a proxy. */
export function hasProxy(env: NodeJS.ProcessEnv): boolean {
  return PROXY_VARIABLES.some(name => Boolean(env[name]));
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
}

/** Returns the proxies that the environment names, for errors. */
export function proxiesOf(env: NodeJS.ProcessEnv): ProxyAddress[] {
  return PROXY_VARIABLES.flatMap(variable => {
    const url = URL.parse(env[variable] ?? '');
    if (url === null) return [];
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    return [{ variable, hostname: url.hostname, port }];
  });
}
