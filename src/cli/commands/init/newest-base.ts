import { isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { newestRelease } from '../../../fit/releases.ts';
import { newestReleaseTag } from '../../../plan/newer-base.ts';
import type { Session } from '../../session.ts';

const REPOSITORY = 'vllm/vllm-openai';
/** More than it has. */
const MAX_TAGS = 20_000;
const PATIENCE_MS = 5000;

/**
 * Returns the newest release of vLLM's image: by the tags of its registry, or the newest that this version of Weighbridge
 * knows if the registry does not answer within seconds.
 * Throws InterruptedError.
 */
export async function newestBase(session: Session): Promise<string> {
  const known = `v${newestRelease().version}`;
  // One try: a first look around should not wait for a network that is not there.
  const { services } = session.within({ ...session.env, WEIGHBRIDGE_RETRY_SECONDS: '0' });
  try {
    const store = services.openRepository(`docker.io/${REPOSITORY}`, 'pull');
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const tags = await store.listTags(MAX_TAGS, signal);
    return `${REPOSITORY}:${newestReleaseTag([...tags, known]) ?? known}`;
  } catch (error) {
    if (session.signal.aborted || !(isAbort(error) || error instanceof WeighbridgeError)) throw error;
    session.note(
      `the tags of ${REPOSITORY} could not be read; ${known} is the newest that this version knows`,
    );
    return `${REPOSITORY}:${known}`;
  }
}
