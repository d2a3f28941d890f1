import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Whether a host is `localhost`, in `127.0.0.0/8` or `[::1]`: reached over HTTP, never through a proxy. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    /^127(\.\d{1,3}){3}$/.test(hostname) ||
    hostname === '[::1]' ||
    hostname === '::1'
  );
}

// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 companion
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['0.0.0.0', 8],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addAddress('::', 'ipv6');

/** Whether a host is an address of a private network or of this machine. Names other than `localhost` are not looked up. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost');
  // The list sees through `::ffff:127.0.0.1` itself.
  return PRIVATE.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Looks a name up as `dns.lookup` does, but a name of private addresses is an error (code `EPRIVATE`): for addresses
 * that a public server has given, so that it cannot point us into our own network. Returns the addresses to its
 * callback.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    const isPrivate = !error && addresses.some(({ address }) => isPrivateHost(address));
    if (error || isPrivate) {
      callback(error ?? privateAddress(hostname), '', 0);
    } else if (options.all === true) {
      callback(null, addresses);
    } else {
      callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0);
    }
  });
};

function privateAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} is a private address`), { code: 'EPRIVATE' });
}
