import { readFile } from 'node:fs/promises';

/** As much of a Debian with zlib as Trivy looks at. */
export async function debianWithZlib(): Promise<Record<string, string>> {
  const release = await readFile('/etc/os-release', 'utf8');
  const version = /^VERSION_ID="(\d+)"/m.exec(release)?.[1] ?? '13';
  return {
    'etc/os-release': release,
    'etc/debian_version': `${version}.0\n`,
    'var/lib/dpkg/status': `Package: zlib1g
Status: install ok installed
Priority: optional
Section: libs
Maintainer: nobody <nobody@example.org>
Architecture: amd64
Source: zlib
Version: 1:1.2.13
Description: a library
`,
  };
}
