// In the bundle in place of src/spdx/spdx-list.ts: the list is inside.
import type { SpdxLicense } from '../../src/spdx/spdx-list.ts';
import { unpack } from './unpack.ts';

let list: Readonly<Record<string, SpdxLicense>> | undefined;

export async function loadSpdxList(): Promise<Readonly<Record<string, SpdxLicense>>> {
  if (list === undefined) {
    const { packed } = await import('weighbridge:packed-spdx');
    list = JSON.parse(unpack(packed).toString('utf8')) as Readonly<Record<string, SpdxLicense>>;
  }
  return list;
}

export async function loadSpdxLicense(id: string): Promise<SpdxLicense> {
  const license = (await loadSpdxList())[id];
  if (license === undefined) throw new Error(`${id} is not on SPDX's list`);
  return license;
}
