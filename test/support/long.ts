/** The everyday run takes a part of what is thorough and slow; `WEIGHBRIDGE_LONG=1` (set in `.ci/run`) takes all of it. */
export const IS_LONG = process.env.WEIGHBRIDGE_LONG === '1';

/** The `skip` of a test of the long form. */
export const onlyLong: false | string = IS_LONG ? false : 'only with WEIGHBRIDGE_LONG=1';
