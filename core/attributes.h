/* GNU attributes under the names that say what they are for. */
#ifndef CP_ATTRIBUTES_H
#define CP_ATTRIBUTES_H

/* The result tells success: dropping it is a bug. */
#define CP_MUST_CHECK __attribute__((warn_unused_result))

#endif
