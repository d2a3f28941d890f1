// The texts of SPDX's list. The single-file bundle has another module in place of this one (scripts/bundle).

/** A license of the SPDX list. */
export interface SpdxLicense {
  readonly name: string;
  readonly licenseText: string;
}

/** Returns one license by its id, which must be one of the list: it becomes part of a path. */
export async function loadSpdxLicense(id: string): Promise<SpdxLicense> {
  // One file a license: all texts together are 5 MB.
  const file = await import(`spdx-license-list/licenses/${id}.json`, { with: { type: 'json' } });
  return file.default;
}

/** Returns the whole list, by id. */
export async function loadSpdxList(): Promise<Readonly<Record<string, SpdxLicense>>> {
  return (await import('spdx-license-list/full.js')).default;
}
