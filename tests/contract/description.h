/* openapi.yaml as the tests of the contract see it, and the service that it describes. */
#ifndef CP_DESCRIPTION_H
#define CP_DESCRIPTION_H

#include <stdbool.h>

#include "server/json/json.h"
#include "server/service.h"

/* Group setup and teardown of cmocka: the description is parsed once. */
int cp_description_open(void **state);
int cp_description_close(void **state);

/* The whole document. */
const struct cp_json *cp_description(void);

/* Memory that lives until cp_description_close. */
struct cp_arena *cp_test_arena(void);

/* A value of the document by its path from the root, steps separated by spaces as few names have them; fails the test
 * where there is none. */
const struct cp_json *cp_described(const char *steps);

/* #/components/schemas/NAME; fails the test where there is none. */
const struct cp_json *cp_described_schema(const char *name);

/* A member of an object, or NULL; also for a NULL object. */
const struct cp_json *cp_at(const struct cp_json *object, const char *name);

/* The object itself, or what its $ref names. */
const struct cp_json *cp_referred(const struct cp_json *object);

/* A list of strings that holds this one? NULL is an empty list. */
bool cp_lists(const struct cp_json *list, const char *string);

/* Parse a text that is known to be JSON; fails the test when it is not. */
const struct cp_json *cp_parsed(struct cp_text text);

/* The text of a value. */
struct cp_text cp_written(const struct cp_json *value);

/* POST this body to /v1/shapes. */
struct cp_reply cp_post_shapes(struct cp_text body);

/* Count a complaint and print it, for tests that go on to find all of them; cp_no_complaints ends such a test. */
void cp_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cp_no_complaints(void);

#define CP_SHOWN(text) (int)(text).size, (text).bytes

#endif
