/* Numbers in JSON: read as strtod reads them, which is right to the last bit; and eight bytes as a double are written so
 * that they are read again as the same, in no more digits than 17. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/number.h"
#include "tests/fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(double one, double other)
{
    return memcmp(&one, &other, sizeof one) == 0;
}

static void check_reading(const char *text, size_t size)
{
    struct cp_exact_memory memory;
    struct cp_json_error error;
    cp_exact_memory_open(&memory);
    const struct cp_json *number = cp_json_parse(&memory.arena, text, size, &error);
    bool read = number && cp_json_type(number) == CP_JSON_NUMBER;
    if (read || (!number && error.fault == CP_JSON_HUGE)) {
        char *terminated = cp_arena_take(&memory.arena, size + 1, 1);
        memcpy(terminated, text, size);
        terminated[size] = '\0';
        double value = strtod(terminated + (read ? 0 : error.offset), NULL);
        if (read ? !same(value, cp_json_number(number)) : isfinite(value)) {
            fprintf(stderr, "%.*s is %.17g, and read as %.17g\n", (int)size, text, value,
                    read ? cp_json_number(number) : INFINITY);
            abort();
        }
    }
    cp_exact_memory_close(&memory);
}

static void check_writing(double value)
{
    char text[CP_NUMBER_ROOM];
    double again;
    size_t size = cp_number_format(value, text);
    if (size < CP_NUMBER_ROOM && cp_number_parse(text, text + size, &again) && same(value, again)) return;
    fprintf(stderr, "%.17g is written as %.*s\n", value, (int)size, text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double value;
    if (size == sizeof value) {
        memcpy(&value, data, sizeof value);
        if (isfinite(value)) check_writing(value);
    }
    check_reading((const char *)data, size);
    return 0;
}
