#include "core/figure/style.h"

#include <inttypes.h>

void cp_style_write(struct cp_text_builder *svg, const struct cp_style_rule *rules, int count, enum cp_theme theme)
{
    for (int at = 0; at < count; at++)
        cp_text_addf(svg, "%s{%s%s}\n", rules[at].selector, rules[at].always,
                     theme == CP_THEME_DARK ? rules[at].dark : rules[at].light);
    if (theme != CP_THEME_AUTO) return;
    cp_text_add_string(svg, "@media (prefers-color-scheme:dark){\n");
    for (int at = 0; at < count; at++)
        if (*rules[at].dark) cp_text_addf(svg, "%s{%s}\n", rules[at].selector, rules[at].dark);
    cp_text_add_string(svg, "}\n");
}

void cp_svg_begin(struct cp_text_builder *svg, int64_t width, int64_t height, struct cp_text title,
                  struct cp_text description)
{
    cp_text_addf(svg,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%" PRId64 "\" height=\"%" PRId64
                 "\" viewBox=\"0 0 %" PRId64 " %" PRId64
                 "\" role=\"img\" aria-labelledby=\"title description\">\n<title id=\"title\">",
                 width, height, width, height);
    cp_text_add(svg, title);
    cp_text_add_string(svg, "</title>\n<desc id=\"description\">");
    cp_text_add(svg, description);
    cp_text_add_string(svg, "</desc>\n");
}

/* ---- Text --------------------------------------------------------------------------------------------------------- */

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* The bytes of a variable at the start of the text: a lone letter with what is written over or behind it; 0: none. */
static size_t variable_size(struct cp_text text, bool after_letter)
{
    static const char *const marks[] = {"\xcc\x82" /* circumflex above */, "′", NULL};
    struct cp_text tilde = CP_TEXT("ĩ");
    size_t size = 0;
    if (is_letter(*text.bytes))
        size = 1;
    else if (text.size >= tilde.size && memcmp(text.bytes, tilde.bytes, tilde.size) == 0)
        size = tilde.size;
    if (size == 0 || after_letter || (size < text.size && is_letter(text.bytes[size]))) return 0;
    for (int at = 0; marks[at]; at++) {
        size_t mark = strlen(marks[at]);
        if (text.size - size >= mark && memcmp(text.bytes + size, marks[at], mark) == 0) size += mark;
    }
    return size;
}

void cp_svg_add_math(struct cp_text_builder *svg, struct cp_text text)
{
    bool after_letter = false;
    while (text.size) {
        size_t size = variable_size(text, after_letter);
        struct cp_text part = {text.bytes, size ? size : 1};
        if (size) {
            cp_text_addf(svg, "<tspan class=\"variable\">%.*s</tspan>", (int)size, text.bytes);
        } else if (*text.bytes == '_' && text.size > 1) {
            part.size = 2;
            cp_text_addf(svg, "<tspan class=\"index\" dy=\"3\">%c</tspan><tspan dy=\"-3\">\xe2\x80\x8b</tspan>",
                         text.bytes[1]);
        } else {
            while (part.size < text.size && ((unsigned char)part.bytes[part.size] & 0xc0) == 0x80) part.size++;
            cp_text_add_xml(svg, part);
        }
        after_letter = size == 0 && is_letter(part.bytes[part.size - 1]);
        text.bytes += part.size;
        text.size -= part.size;
    }
}

/* Hundredths of the font size that a character takes, in round numbers that suit the common sans serifs. */
static int64_t character_width(unsigned char lead)
{
    enum { THIN = 36, USUAL = 61, WIDE = 90 };
    if (lead == 0xcc || (lead & 0xc0) == 0x80) return 0; /* a combining mark, or the rest of a character */
    if (strchr(" !'()*,-./:;I[]fijlrt|", lead) && lead) return THIN;
    return lead == 'm' || lead == 'w' || lead == 'M' || lead == 'W' ? WIDE : USUAL;
}

int64_t cp_svg_text_width(struct cp_text text, int64_t font_size)
{
    int64_t hundredths = 0;
    for (size_t at = 0; at < text.size; at++) hundredths += character_width((unsigned char)text.bytes[at]);
    return hundredths * font_size / 100 + 1;
}
