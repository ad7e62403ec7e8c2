/* The look of the pictures: rules of CSS with colours for light and dark. No custom properties and no scripts, so that
 * programs other than browsers draw them too. */
#ifndef CP_FIGURE_STYLE_H
#define CP_FIGURE_STYLE_H

#include "core/text_builder.h"

enum cp_theme {
    CP_THEME_AUTO, /* light, or dark where the reader prefers it */
    CP_THEME_LIGHT,
    CP_THEME_DARK,
};

struct cp_style_rule {
    const char *selector;
    const char *always, *light, *dark; /* declarations */
};

/* The rules as the content of a <style> element. */
void cp_style_write(struct cp_text_builder *svg, const struct cp_style_rule *rules, int count, enum cp_theme theme);

/* The root element up to its background, with title and description for readers that do not see: texts that are XML
 * already. Left open: `</svg>` is the caller's. Sizes are in pixels. */
void cp_svg_begin(struct cp_text_builder *svg, int64_t width, int64_t height, struct cp_text title,
                  struct cp_text description);

/* Text in which lone letters are variables, so in italics, and `_b` is an index: "p_b + 2k̂". Nothing in it is
 * markup. */
void cp_svg_add_math(struct cp_text_builder *svg, struct cp_text text);

/* The width in pixels that a text is given, in a sans serif of `font_size`: a little more than most fonts take. */
int64_t cp_svg_text_width(struct cp_text text, int64_t font_size);

/* Families of sans serif and of serif for mathematics. */
#define CP_SANS "font-family:system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
#define CP_SERIF "font-family:'STIX Two Text','Latin Modern Roman',Cambria,Georgia,'DejaVu Serif',serif"

#endif
