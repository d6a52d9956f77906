/** Sizes that both the ranks and those who compare them need. */

/** Of a small message. */
export const SMALL = 8;

/** Requests in flight at a time. */
export const IN_FLIGHT = 10_000;

/** Receives that wait for other tags. */
export const POSTED = 10_000;

/** Rows of a matrix, of which every other is sent. */
export const ROW_BYTES = 4096;
export const ROWS_BYTES: number = 2 ** 22;

/** One number of each record of this many bytes. */
export const STRIDE_BYTES = 64;
export const ELEMENTS_BYTES: number = 2 ** 20;

/** Of an array within an object. */
export const ARRAY_BYTES: number = 2 ** 26;
