/* docs/stories.md: every request there is sent, and what stands in the table below it is what the answer has. */
#include <stdlib.h>

#include "tests/contract/description.h"
#include "tests/contract/schema.h"
#include "tests/service_client.h"

/* ---- Reading the page --------------------------------------------------------------------------------------------- */

/* A line without its end, and the rest; false at the end of the text. */
static bool take_line(struct cp_text *text, struct cp_text *line)
{
    if (text->size == 0) return false;
    const char *end = memchr(text->bytes, '\n', text->size);
    line->bytes = text->bytes;
    line->size = end ? (size_t)(end - text->bytes) : text->size;
    size_t taken = line->size + (end != NULL);
    text->bytes += taken;
    text->size -= taken;
    return true;
}

static bool starts(struct cp_text text, const char *with)
{
    return text.size >= strlen(with) && memcmp(text.bytes, with, strlen(with)) == 0;
}

/* What stands between the next run of backquotes and the one that is as long; a space on both sides is not meant. */
static struct cp_text take_code(struct cp_text *line)
{
    size_t run = 0, at = 0;
    while (at < line->size && line->bytes[at] != '`') at++;
    while (at + run < line->size && line->bytes[at + run] == '`') run++;
    size_t begin = at + run, end = begin, closing = 0;
    for (; end < line->size && closing < run; end++) closing = line->bytes[end] == '`' ? closing + 1 : 0;
    struct cp_text code = {line->bytes + begin, end - begin - closing};
    line->bytes += end;
    line->size -= end;
    if (run > 1 && code.size > 2) code = (struct cp_text){code.bytes + 1, code.size - 2};
    return code;
}

static struct cp_text read_page(void)
{
    static const char page[] = "docs/stories.md"; /* tests run in the root of the tree */
    FILE *file = fopen(page, "rb");
    assert_non_null(file);
    enum { MOST_BYTES = 1 << 20 };
    char *bytes = cp_arena_take(cp_test_arena(), MOST_BYTES, 1);
    size_t size = fread(bytes, 1, MOST_BYTES, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > 0 && size < MOST_BYTES);
    return (struct cp_text){bytes, size};
}

/* ---- Telling it --------------------------------------------------------------------------------------------------- */

struct told {
    int requests, claims;
};

static struct cp_text take_block(struct cp_text *page)
{
    struct cp_text line, block = {page->bytes, 0};
    while (take_line(page, &line) && !starts(line, "```")) block.size = (size_t)(line.bytes + line.size - block.bytes);
    return block;
}

static void check_claim(struct cp_text row, struct cp_text body, struct told *told)
{
    char pointer[256];
    struct cp_text where = take_code(&row), claim = take_code(&row);
    snprintf(pointer, sizeof pointer, "%.*s", CP_SHOWN(where));
    struct cp_text found = cp_test_at(body, pointer);
    told->claims++;
    if (found.size == 0) {
        cp_complain("%s: nothing stands there", pointer);
        return;
    }
    struct cp_text difference = cp_json_difference(cp_parsed(claim), cp_parsed(found), false, cp_test_arena());
    if (difference.size) cp_complain("%s: %.*s, found %.*s", pointer, CP_SHOWN(difference), CP_SHOWN(found));
}

/* From the line that names the endpoint to the end of the table. */
static void tell(struct cp_text path, struct cp_text *page, struct told *told)
{
    struct cp_text line;
    while (take_line(page, &line) && !starts(line, "```json")) assert_int_equal(line.size, 0);
    struct cp_text body = take_block(page);
    const struct cp_request request = {.method = CP_POST, .method_name = CP_TEXT("POST"), .path = path, .body = body};
    struct cp_test_exchange exchange;
    cp_test_ask(&exchange, &request);
    told->requests++;
    if (exchange.reply.status != 200)
        cp_complain("%.*s: %d %.*s", CP_SHOWN(path), exchange.reply.status, CP_SHOWN(exchange.reply.body));
    int claims = told->claims;
    while (take_line(page, &line) && (line.size == 0 || starts(line, "|"))) {
        if (starts(line, "| `")) check_claim(line, exchange.reply.body, told);
        if (line.size == 0 && told->claims > claims) break;
    }
    if (told->claims == claims) cp_complain("nothing is claimed of %.*s", CP_SHOWN(body));
    cp_test_close(&exchange);
}

static void stories_are_true(void **state)
{
    enum { LEAST_REQUESTS = 6, LEAST_CLAIMS = 20 };
    struct cp_text page = read_page(), line;
    struct told told = {0};
    (void)state;
    while (take_line(&page, &line)) {
        if (!starts(line, "`POST ")) continue;
        struct cp_text code = take_code(&line);
        tell((struct cp_text){code.bytes + 5, code.size - 5}, &page, &told);
    }
    cp_no_complaints();
    assert_true(told.requests >= LEAST_REQUESTS && told.claims >= LEAST_CLAIMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stories_are_true)};
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
