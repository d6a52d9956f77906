/*
 * How the models state what must hold.
 *
 * PROPERTY(NAME, condition) is an assertion with a name. A mutant is compiled with -DONLY=NAME,
 * which leaves this one property standing, so that it can fail for no other reason than the one its
 * line in the head of the model names. The model itself is compiled without ONLY: everything must
 * hold.
 */
#ifndef ONLY
#define ONLY 0
#endif

#define PROPERTY(name, condition) assert((condition) || (ONLY != 0 && ONLY != (name)))
