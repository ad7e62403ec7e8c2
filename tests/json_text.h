/* Whether bytes are one JSON text, for tests that do not look into it. */
#ifndef CP_TEST_JSON_TEXT_H
#define CP_TEST_JSON_TEXT_H

#include <stdbool.h>
#include <stdlib.h>

#include "server/json/json.h"
#include "server/memory.h"

static inline bool cp_test_is_json(const char *bytes, size_t size, struct cp_json_error *error)
{
    struct cp_memory memory;
    cp_memory_open(&memory, NULL, (size_t)1 << 30, NULL);
    bool is_json = cp_json_parse(&memory.arena, bytes, size, error) != NULL;
    cp_memory_reset(&memory);
    return is_json;
}

#endif
