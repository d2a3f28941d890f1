import path from 'node:path';
import fc from 'fast-check';

// Preloaded by the test scripts.

// Property tests draw the same examples each time, so that a change is judged by what it changed. Another seed looks
// further: WEIGHBRIDGE_SEED=random, or the number that a failure printed.
const given = process.env.WEIGHBRIDGE_SEED ?? '20261125';
if (given !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given) });

// Test files and the commands that they start load some 600 modules each: they share one compile cache.
process.env.NODE_COMPILE_CACHE ??= path.join(import.meta.dirname, '../../node_modules/.cache/weighbridge');
