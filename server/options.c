#include "server/options.h"

#include <stdio.h>
#include <string.h>

#include "core/nearest.h"

enum { ROOM = 256 }; /* for a range in words */

/* ---- Values ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *suffix;
    int shift;
} byte_units[] = {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}};

enum { BYTE_UNITS = sizeof byte_units / sizeof *byte_units };

/* The largest unit that the number is a multiple of. */
static void bytes_in_words(char *words, size_t size, int64_t bytes)
{
    int unit = 0;
    while (byte_units[unit].shift && (!bytes || bytes % ((int64_t)1 << byte_units[unit].shift))) unit++;
    snprintf(words, size, "%lld%s", (long long)(bytes >> byte_units[unit].shift), byte_units[unit].suffix);
}

static void word_list(char *list, size_t size, const char *const *words)
{
    size_t used = 0;
    list[0] = '\0';
    for (int at = 0; words[at] && used < size; at++)
        used += (size_t)snprintf(list + used, size - used, "%s%s", at ? ", " : "", words[at]);
}

/* What a value of the option may be. */
static void range_in_words(char *range, size_t size, const struct cp_option *option)
{
    char least[ROOM / 4];
    char most[ROOM / 4];
    range[0] = '\0';
    switch (option->kind) {
    case CP_OPTION_TEXT: break;
    case CP_OPTION_INTEGER:
        snprintf(range, size, "%lld to %lld", (long long)option->least, (long long)option->most);
        break;
    case CP_OPTION_BYTES:
        bytes_in_words(least, sizeof least, option->least);
        bytes_in_words(most, sizeof most, option->most);
        snprintf(range, size, "%s to %s", least, most);
        break;
    case CP_OPTION_WORD: word_list(range, size, option->words); break;
    }
}

static bool parse_number(const char *text, bool in_bytes, int64_t *value)
{
    int64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, *at - '0', &number))
            return false;
    if (at == text) return false;
    int unit = in_bytes ? 0 : BYTE_UNITS - 1;
    while (unit < BYTE_UNITS && strcmp(at, byte_units[unit].suffix) != 0) unit++;
    if (unit == BYTE_UNITS) return false;
    return !__builtin_mul_overflow(number, (int64_t)1 << byte_units[unit].shift, value);
}

static bool parse_word(const char *text, const char *const *words, int64_t *value)
{
    for (*value = 0; words[*value]; ++*value)
        if (strcmp(words[*value], text) == 0) return true;
    return false;
}

/* False: `values` is as it was. */
static bool set_value(const struct cp_option *option, const char *text, void *values)
{
    char *place = (char *)values + option->offset;
    int64_t number = 0;
    switch (option->kind) {
    case CP_OPTION_TEXT: memcpy(place, &text, sizeof text); return true;
    case CP_OPTION_INTEGER:
    case CP_OPTION_BYTES:
        if (!parse_number(text, option->kind == CP_OPTION_BYTES, &number)) return false;
        if (number < option->least || number > option->most) return false;
        break;
    case CP_OPTION_WORD:
        if (!parse_word(text, option->words, &number)) return false;
        break;
    }
    memcpy(place, &number, sizeof number);
    return true;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

struct reading {
    const struct cp_option_table *table;
    void *values;
    uint64_t given; /* bit i: option i was set by a flag */
    char *error;
    size_t error_size;
};

/* Set an option from the text that a flag or a variable, `source`, gives. */
static bool take(const struct reading *reading, const struct cp_option *option, const char *source, const char *text)
{
    static const char *const expected[] = {
        [CP_OPTION_TEXT] = "",
        [CP_OPTION_INTEGER] = "a whole number from ",
        [CP_OPTION_BYTES] = "a number of bytes, such as 65536 or 64KiB, from ",
        [CP_OPTION_WORD] = "one of ",
    };
    char range[ROOM];
    if (set_value(option, text, reading->values)) return true;
    range_in_words(range, sizeof range, option);
    snprintf(reading->error, reading->error_size, "%s cannot be \"%.100s\"; it takes %s%s", source, text,
             expected[option->kind], range);
    return false;
}

const char *cp_environment_value(char *const *environment, const char *name)
{
    size_t size = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=') return *environment + size + 1;
    return NULL;
}

static bool take_environment(const struct reading *reading, char *const *environment)
{
    for (int at = 0; at < reading->table->count; at++) {
        const struct cp_option *option = &reading->table->options[at];
        const char *value = reading->given >> at & 1 ? NULL : cp_environment_value(environment, option->environment);
        if (value && *value && !take(reading, option, option->environment, value)) return false;
    }
    return true;
}

static const struct cp_option *find(const struct cp_option_table *table, struct cp_text flag)
{
    for (int at = 0; at < table->count; at++)
        if (cp_text_is(flag, table->options[at].flag)) return &table->options[at];
    return NULL;
}

/* The flags of the table, and --help after them. */
static struct cp_text flag_at(const void *table, int64_t index)
{
    const struct cp_option_table *of = table;
    return cp_text_of(index < of->count ? of->options[index].flag : "--help");
}

static void say_unknown(const struct reading *reading, struct cp_text flag)
{
    const struct cp_option_table *table = reading->table;
    int64_t nearest = cp_nearest(flag, table->count + 1, flag_at, table);
    int shown = flag.size > 100 ? 100 : (int)flag.size;
    if (nearest >= 0)
        snprintf(reading->error, reading->error_size, "there is no option %.*s; did you mean %s?", shown, flag.bytes,
                 flag_at(table, nearest).bytes);
    else
        snprintf(reading->error, reading->error_size, "there is no option %.*s; see %s --help", shown, flag.bytes,
                 table->command);
}

/* The option in arguments[0], with its value there or in arguments[1]. Returns how many of them it took; 0: wrong. */
static int take_flag(struct reading *reading, char *const *arguments, int argument_count)
{
    const char *equals = strchr(arguments[0], '=');
    struct cp_text flag = cp_text_of(arguments[0]);
    if (equals) flag.size = (size_t)(equals - flag.bytes);
    const struct cp_option *option = find(reading->table, flag);
    if (!option) {
        say_unknown(reading, flag);
        return 0;
    }
    if (!equals && argument_count < 2) {
        snprintf(reading->error, reading->error_size, "%s needs a value: %s", option->flag, option->unit);
        return 0;
    }
    if (!take(reading, option, option->flag, equals ? equals + 1 : arguments[1])) return 0;
    reading->given |= UINT64_C(1) << (option - reading->table->options);
    return equals ? 1 : 2;
}

static bool take_arguments(struct reading *reading, char **arguments, int argument_count, int *operand_count)
{
    bool ended = false;
    *operand_count = 0;
    for (int at = 0; at < argument_count;) {
        if (!ended && strcmp(arguments[at], "--") == 0) {
            ended = true;
            at++;
        } else if (!ended && arguments[at][0] == '-' && arguments[at][1]) {
            int taken = take_flag(reading, arguments + at, argument_count - at);
            if (!taken) return false;
            at += taken;
        } else {
            arguments[(*operand_count)++] = arguments[at++];
        }
    }
    if (reading->table->operands || !*operand_count) return true;
    snprintf(reading->error, reading->error_size, "\"%.100s\" is one argument too many; see %s --help", arguments[0],
             reading->table->command);
    return false;
}

static enum cp_options_outcome asks_for_help(char *const *arguments, int argument_count)
{
    for (int at = 0; at < argument_count && strcmp(arguments[at], "--") != 0; at++) {
        if (strcmp(arguments[at], "--help") == 0 || strcmp(arguments[at], "-h") == 0) return CP_OPTIONS_HELP;
        if (strcmp(arguments[at], "--help=markdown") == 0) return CP_OPTIONS_MARKDOWN;
    }
    return CP_OPTIONS_READ;
}

enum cp_options_outcome cp_options_read(const struct cp_option_table *table, void *values, char *const *environment,
                                        char **arguments, int argument_count, int *operand_count, char *error,
                                        size_t error_size)
{
    struct reading reading = {.table = table, .values = values, .error_size = error_size};
    reading.error = error;
    enum cp_options_outcome outcome = asks_for_help(arguments, argument_count);
    if (outcome != CP_OPTIONS_READ) return outcome;
    for (int at = 0; at < table->count; at++)
        if (!take(&reading, &table->options[at], table->options[at].flag, table->options[at].initial))
            return CP_OPTIONS_WRONG;
    if (!take_arguments(&reading, arguments, argument_count, operand_count)) return CP_OPTIONS_WRONG;
    if (!take_environment(&reading, environment)) return CP_OPTIONS_WRONG;
    return CP_OPTIONS_READ;
}

/* ---- Telling ------------------------------------------------------------------------------------------------------ */

static void put(struct cp_writer *out, const char *string)
{
    cp_write_raw(out, string, strlen(string));
}

static void put_padded(struct cp_writer *out, const char *string, size_t width)
{
    put(out, string);
    for (size_t size = strlen(string); size < width; size++) put(out, " ");
}

static void put_option(struct cp_writer *out, const struct cp_option *option)
{
    enum { INDENT = 28 };
    char text[ROOM];
    snprintf(text, sizeof text, "  %s %s", option->flag, option->unit);
    put_padded(out, text, INDENT - 1);
    put(out, " ");
    put(out, option->help);
    put(out, "\n");
    put_padded(out, "", INDENT);
    range_in_words(text, sizeof text, option);
    if (*text) {
        put(out, text);
        put(out, "; ");
    }
    put(out, "default ");
    put(out, *option->initial ? option->initial : "none");
    put(out, "; or ");
    put(out, option->environment);
    put(out, "\n");
}

void cp_options_help(const struct cp_option_table *table, struct cp_writer *out)
{
    put(out, "Usage: ");
    put(out, table->command);
    put(out, " [OPTION]…");
    if (table->operands) {
        put(out, " ");
        put(out, table->operands);
    }
    put(out, "\n\n");
    put(out, table->help);
    put(out, "\n\n");
    for (int at = 0; at < table->count; at++) put_option(out, &table->options[at]);
    put(out, "  --help                    show this; --help=markdown shows the options as a table\n\n"
             "An option that is not given is taken from the environment variable named after it.\n");
}

void cp_options_markdown(const struct cp_option_table *table, struct cp_writer *out)
{
    put(out, "| Flag | Environment variable | Default | Range | Meaning |\n|---|---|---|---|---|\n");
    for (int at = 0; at < table->count; at++) {
        const struct cp_option *option = &table->options[at];
        char range[ROOM];
        range_in_words(range, sizeof range, option);
        const char *quote = *option->initial ? "`" : "";
        const char *const parts[] = {
            "| `",           option->flag, " ",   option->unit, "` | `", option->environment, "` | ", quote,
            option->initial, quote,        " | ", range,        " | ",   option->help,        " |\n"};
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) put(out, parts[part]);
    }
}
