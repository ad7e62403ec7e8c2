/* For tests of pictures: reads an SVG document strictly (XML 1.0 without declarations, comments and CDATA, which the
 * service does not write; a fault fails the test) and lists its elements. */
#ifndef CP_SVG_READER_H
#define CP_SVG_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/text.h"

enum { CP_SVG_DEPTH = 16, CP_SVG_NAME = 32 };

struct cp_svg_element {
    char name[CP_SVG_NAME];
    char classes[CP_SVG_NAME]; /* its own, or those of the nearest element around it that has any */
    long x, y, width, height;  /* 0 where it has none */
    struct cp_text text;       /* up to its first child, as written */
};

struct cp_svg {
    struct cp_svg_element *elements;
    size_t count, capacity;
    struct cp_text source;
    const char *at;
    int depth;
    size_t open[CP_SVG_DEPTH];
};

static inline bool cp_svg_has(const struct cp_svg *svg, const char *start)
{
    size_t left = (size_t)(svg->source.bytes + svg->source.size - svg->at);
    return left >= strlen(start) && memcmp(svg->at, start, strlen(start)) == 0;
}

__attribute__((noreturn)) static inline void cp_svg_fail(const struct cp_svg *svg, const char *what)
{
    fail_msg("%s at byte %td: %.60s", what, svg->at - svg->source.bytes, svg->at);
    abort();
}

static inline void cp_svg_expect(struct cp_svg *svg, const char *text)
{
    if (!cp_svg_has(svg, text)) cp_svg_fail(svg, text);
    svg->at += strlen(text);
}

static inline void cp_svg_skip_space(struct cp_svg *svg)
{
    while (cp_svg_has(svg, " ") || cp_svg_has(svg, "\n")) svg->at++;
}

/* Text or a value up to `end`: references are those of XML, control characters are none but line feeds. */
static inline struct cp_text cp_svg_read_text(struct cp_svg *svg, char end)
{
    static const char *const references[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    const char *start = svg->at, *limit = svg->source.bytes + svg->source.size;
    while (svg->at < limit && *svg->at != end) {
        bool known = *svg->at != '&';
        for (size_t at = 0; !known && at < sizeof references / sizeof references[0]; at++)
            known = cp_svg_has(svg, references[at]);
        if (!known || *svg->at == '<' || ((unsigned char)*svg->at < 0x20 && *svg->at != '\n'))
            cp_svg_fail(svg, "no such character here");
        svg->at++;
    }
    if (svg->at == limit && end != '<') cp_svg_fail(svg, "the end");
    return (struct cp_text){start, (size_t)(svg->at - start)};
}

static inline void cp_svg_read_name(struct cp_svg *svg, char name[CP_SVG_NAME])
{
    size_t size = 0;
    while (size + 1 < CP_SVG_NAME && ((*svg->at >= 'a' && *svg->at <= 'z') || (*svg->at >= 'A' && *svg->at <= 'Z') ||
                                      (size && strchr("-0123456789", *svg->at))))
        name[size++] = *svg->at++;
    name[size] = '\0';
    if (size == 0) cp_svg_fail(svg, "a name is due");
}

static inline void cp_svg_set(struct cp_svg_element *element, const char *name, struct cp_text value)
{
    bool negative = value.size && *value.bytes == '-';
    long number = 0;
    for (size_t at = negative; at < value.size && value.bytes[at] >= '0' && value.bytes[at] <= '9'; at++)
        number = 10 * number + (value.bytes[at] - '0');
    if (negative) number = -number;
    if (strcmp(name, "x") == 0) element->x = number;
    if (strcmp(name, "y") == 0) element->y = number;
    if (strcmp(name, "width") == 0) element->width = number;
    if (strcmp(name, "height") == 0) element->height = number;
    if (strcmp(name, "class") == 0)
        (void)snprintf(element->classes, sizeof element->classes, "%.*s", (int)value.size, value.bytes);
}

/* The attributes; no name twice. */
static inline void cp_svg_read_attributes(struct cp_svg *svg, struct cp_svg_element *element)
{
    enum { MOST = 12 };
    char names[MOST][CP_SVG_NAME];
    int count = 0;
    for (cp_svg_skip_space(svg); !cp_svg_has(svg, ">") && !cp_svg_has(svg, "/>"); cp_svg_skip_space(svg)) {
        assert_true(count < MOST);
        cp_svg_read_name(svg, names[count]);
        for (int before = 0; before < count; before++)
            if (strcmp(names[before], names[count]) == 0) cp_svg_fail(svg, "an attribute stands twice");
        cp_svg_expect(svg, "=\"");
        cp_svg_set(element, names[count++], cp_svg_read_text(svg, '"'));
        cp_svg_expect(svg, "\"");
        if (!strchr(" \n>/", *svg->at)) cp_svg_fail(svg, "a space is due");
    }
}

static inline void cp_svg_close_element(struct cp_svg *svg)
{
    char name[CP_SVG_NAME];
    cp_svg_read_name(svg, name);
    if (svg->depth == 0 || strcmp(svg->elements[svg->open[--svg->depth]].name, name) != 0)
        cp_svg_fail(svg, "another end is due");
    cp_svg_expect(svg, ">");
}

static inline void cp_svg_open_element(struct cp_svg *svg)
{
    if (svg->count == svg->capacity) {
        svg->capacity = 2 * svg->capacity + 64;
        svg->elements = realloc(svg->elements, svg->capacity * sizeof *svg->elements);
        assert_non_null(svg->elements);
    }
    if (svg->depth == 0 && svg->count) cp_svg_fail(svg, "a second root");
    struct cp_svg_element *element = &svg->elements[svg->count];
    *element = (struct cp_svg_element){0};
    cp_svg_read_name(svg, element->name);
    cp_svg_read_attributes(svg, element);
    if (!*element->classes && svg->depth)
        memcpy(element->classes, svg->elements[svg->open[svg->depth - 1]].classes, sizeof element->classes);
    assert_true(svg->depth < CP_SVG_DEPTH);
    svg->open[svg->depth++] = svg->count++;
    if (cp_svg_has(svg, "/>")) {
        svg->depth--;
        svg->at += 2;
        return;
    }
    cp_svg_expect(svg, ">");
    element->text = cp_svg_read_text(svg, '<');
}

/* Read a document; to be closed. */
static inline void cp_svg_open(struct cp_svg *svg, struct cp_text source)
{
    *svg = (struct cp_svg){.source = source, .at = source.bytes};
    cp_svg_expect(svg, "<svg");
    svg->at = source.bytes;
    while (svg->at < source.bytes + source.size) {
        cp_svg_expect(svg, "<");
        if (cp_svg_has(svg, "/")) {
            svg->at++;
            cp_svg_close_element(svg);
        } else {
            cp_svg_open_element(svg);
        }
        (void)cp_svg_read_text(svg, '<');
    }
    if (svg->depth) cp_svg_fail(svg, "an end is due");
}

static inline void cp_svg_close(struct cp_svg *svg)
{
    free(svg->elements);
}

/* How many elements have this name and these classes, in full; NULL: any. */
static inline int cp_svg_count(const struct cp_svg *svg, const char *name, const char *classes)
{
    int count = 0;
    for (size_t at = 0; at < svg->count; at++)
        count +=
            strcmp(svg->elements[at].name, name) == 0 && (!classes || strcmp(svg->elements[at].classes, classes) == 0);
    return count;
}

/* The first element of this name, or NULL. */
static inline const struct cp_svg_element *cp_svg_first(const struct cp_svg *svg, const char *name)
{
    for (size_t at = 0; at < svg->count; at++)
        if (strcmp(svg->elements[at].name, name) == 0) return &svg->elements[at];
    return NULL;
}

#endif
