// Writes build.json, from which a package, the bundle and the image know what they were built from: the commit of the clone,
// and of a release its tag (WEIGHBRIDGE_RELEASE_TAG) and image (WEIGHBRIDGE_RELEASE_IMAGE), which the release's workflow sets.
//   node scripts/write-build-info.ts [FOLDER]     by default dist
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const { WEIGHBRIDGE_RELEASE_TAG: tag, WEIGHBRIDGE_RELEASE_IMAGE: image } = process.env;
writeFileSync(
  path.join(process.argv[2] ?? 'dist', 'build.json'),
  `${JSON.stringify({ commit: commit(), tag: tag || null, image: image || null })}\n`,
);

/** Null outside of a clone, such as in an unpacked tarball. */
function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
