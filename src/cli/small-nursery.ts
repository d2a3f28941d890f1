import v8 from 'node:v8';

/** Two halves of 8 MiB: in smaller ones objects grow old that only waited for an answer, and that costs more than it saves. */
const NURSERY_BYTES = 16 * 1024 * 1024;
const PIECES_AT_ONCE = 16;
const PIECE_WORDS = 1000;
/** Many times what it takes. */
const MAX_ROUNDS = 1000;
/** A list at full speed grows it to twice its size in this time, and no further. */
const CHECK_MS = 250;

let growth = 0;

keepNurserySmall();
setInterval(steerGrowth, CHECK_MS).unref();

/**
 * Has V8 keep the space of new objects at its size of now, 16 MiB at least. It would grow to 128 MiB on a long list of
 * models, whose objects live no longer for it. Node takes its size as an option of the command line alone, which
 * every user would have to know; how it grows is read at each step, so it is let grow to the size and no further.
 */
function keepNurserySmall(): void {
  setGrowth(2);
  // It grows once as much as it holds has survived.
  const survivors: unknown[] = [];
  for (let round = 0; round < MAX_ROUNDS && nurseryBytes() < NURSERY_BYTES; round++)
    for (let count = 0; count < PIECES_AT_ONCE; count++) survivors.push(new Array(PIECE_WORDS).fill(0));
  setGrowth(1);
}

/**
 * Lets it grow again if it was shrunk: V8 does so, to 1 MiB, when it collects after a pause, as while a server is waited
 * for. It would stay at that, and most objects of a model under way would grow old.
 */
function steerGrowth(): void {
  setGrowth(nurseryBytes() < NURSERY_BYTES ? 2 : 1);
}

function setGrowth(factor: 1 | 2): void {
  if (factor === growth) return;
  growth = factor;
  v8.setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

/** Returns the size of the space of new objects, both halves, in bytes. */
export function nurseryBytes(): number {
  const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return space?.space_size ?? NURSERY_BYTES;
}
