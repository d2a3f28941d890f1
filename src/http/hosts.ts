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

/** Where IPv6 addresses have one of IPv4 at their end: NAT64, and translations of old; https://www.rfc-editor.org/rfc/rfc6052 */
const WITH_IPV4 = ['64:ff9b::', '64:ff9b:1::', '::', '::ffff:0:'];

// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 companion
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['192.0.0.0', 24],
  ['0.0.0.0', 8],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4');
  for (const front of WITH_IPV4) PRIVATE.addSubnet(`${front}${net}`, 96 + prefix, 'ipv6');
  // 6to4 has it behind the first 16 bits.
  const [a = 0, b = 0, c = 0, d = 0] = net.split('.').map(Number);
  PRIVATE.addSubnet(
    `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`,
    16 + prefix,
    'ipv6',
  );
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');
PRIVATE.addSubnet('fec0::', 10, 'ipv6');

/** Whether a host is an address of a private network or of this machine. Names other than `localhost` are not looked up. */
export function isPrivateHost(hostname: string): boolean {
  // `localhost.` is the same name, written to its end.
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
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
