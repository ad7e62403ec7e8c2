/* YAML to JSON: what comes out is JSON, but for names that stand twice, which YAML's reader leaves to others. */
#include <stdio.h>
#include <stdlib.h>

#include "server/formats/yaml.h"
#include "server/json/json.h"
#include "tests/fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_exact_memory memory;
    struct cp_yaml_error yaml_error;
    struct cp_json_error error;
    struct cp_text json;
    cp_exact_memory_open(&memory);
    struct cp_text yaml = {(const char *)data, size};
    if (!cp_yaml_to_json(yaml, &memory.arena, &json, &yaml_error)) {
        if (!yaml_error.problem) abort();
    } else if (!cp_json_parse(&memory.arena, json.bytes, json.size, &error) && error.fault != CP_JSON_DUPLICATE &&
               error.fault != CP_JSON_NUL && error.fault != CP_JSON_HUGE) {
        fprintf(stderr, "no JSON from byte %zu: %.*s\n", error.offset, CP_FUZZ_SHOWN(json));
        abort();
    }
    cp_exact_memory_close(&memory);
    return 0;
}
