import v8 from 'node:v8';

/** Two halves of 4 MiB: with 1 MiB objects grow old that only waited for an answer, and that costs more than it saves. */
const NURSERY_BYTES = 8 * 1024 * 1024;
const PIECES_AT_ONCE = 16;
const PIECE_WORDS = 1000;
/** Many times what it takes. */
const MAX_ROUNDS = 1000;

keepNurserySmall();

/**
 * Has V8 keep the space of new objects at its size of now, 8 MiB at least. It would grow to 128 MiB on a long list of
 * models, whose objects live no longer for it. Node takes its size as an option of the command line alone, which
 * every user would have to know; how it grows is read at each step, so it is let grow to the size and no further.
 */
function keepNurserySmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
  // It grows once as much as it holds has survived.
  const survivors: unknown[] = [];
  for (let round = 0; round < MAX_ROUNDS && nurseryBytes() < NURSERY_BYTES; round++)
    for (let count = 0; count < PIECES_AT_ONCE; count++) survivors.push(new Array(PIECE_WORDS).fill(0));
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** Returns the size of the space of new objects, both halves, in bytes. */
export function nurseryBytes(): number {
  const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return space?.space_size ?? NURSERY_BYTES;
}
