/* GNU attributes under the names that say what they are for. */
#ifndef CP_ATTRIBUTES_H
#define CP_ATTRIBUTES_H

/* The result tells success: dropping it is a bug. */
#define CP_MUST_CHECK __attribute__((warn_unused_result))

/* For what is wrong with a request, mostly: calls of the function, and what leads to them, are kept apart from the rest. */
#define CP_RARE __attribute__((cold))

#endif
