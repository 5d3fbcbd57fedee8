/*
 * Faults on purpose, for name look-ups.
 */
#ifndef RS_RESOLVE_FAULT_H
#define RS_RESOLVE_FAULT_H

#include "resolve/lookup.h"

/*
 * An attempt is about to begin: does a fault strike it? Its delay is waited for, which a signal
 * ends early. True: the look-up has failed as the fault says, and nobody was asked. False: the real
 * attempt is to be made.
 */
bool rs_lookup_struck(struct rs_lookup *lookup);

#endif
