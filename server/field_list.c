#include "server/field_list.h"

#include <strings.h>

static struct cp_text trimmed(struct cp_text text)
{
    while (text.size && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) text.bytes++, text.size--;
    while (text.size && (text.bytes[text.size - 1] == ' ' || text.bytes[text.size - 1] == '\t')) text.size--;
    return text;
}

struct cp_text cp_field_part(struct cp_text *rest, char separator)
{
    struct cp_text part = *rest;
    const char *end = part.size ? memchr(part.bytes, separator, part.size) : NULL;
    if (end) {
        part.size = (size_t)(end - part.bytes);
        rest->size -= part.size + 1;
        rest->bytes = end + 1;
    } else {
        *rest = (struct cp_text){0};
    }
    return trimmed(part);
}

bool cp_field_is(struct cp_text text, struct cp_text lower)
{
    return text.size == lower.size && strncasecmp(text.bytes, lower.bytes, text.size) == 0;
}

int cp_field_quality(struct cp_text parameters)
{
    while (parameters.size) {
        struct cp_text parameter = cp_field_part(&parameters, ';');
        if (parameter.size < 3 || (parameter.bytes[0] | 32) != 'q' || parameter.bytes[1] != '=') continue;
        int thousandths = 0, unit = 1000;
        for (size_t at = 2; at < parameter.size; at++) {
            int digit = parameter.bytes[at] - '0';
            if (parameter.bytes[at] == '.') continue;
            if (digit < 0 || digit > 9) return 1000;
            thousandths += digit * unit;
            unit /= 10;
        }
        return thousandths < 1000 ? thousandths : 1000;
    }
    return 1000;
}
