/** Bytes. */
export const MIB = 1024 ** 2;
/** Bytes. */
export const GIB = 1024 ** 3;
