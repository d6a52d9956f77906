/** What `compare` of communicators and groups gives (MPI-4.1 sections 7.3.1 and 7.4.1). */

/** The same: one communicator, or the same members in the same order. */
export const IDENT = 'IDENT';
/** Two communicators with the same members in the same order. */
export const CONGRUENT = 'CONGRUENT';
/** The same members, in another order. */
export const SIMILAR = 'SIMILAR';
/** Not the same members. */
export const UNEQUAL = 'UNEQUAL';

export type Comparison = typeof IDENT | typeof CONGRUENT | typeof SIMILAR | typeof UNEQUAL;
