/* Text that grows in an arena: messages and pictures. */
#ifndef CP_TEXT_BUILDER_H
#define CP_TEXT_BUILDER_H

#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"

struct cp_text_builder {
    struct cp_arena *arena; /* all that has to be set before the first call */
    char *start;
    size_t size, capacity;
};

/* What has been added so far; it moves when more is added. */
static inline struct cp_text cp_text_built(const struct cp_text_builder *builder)
{
    return (struct cp_text){builder->start, builder->size};
}

void cp_text_add(struct cp_text_builder *builder, struct cp_text text);
void cp_text_add_string(struct cp_text_builder *builder, const char *string);
void cp_text_add_number(struct cp_text_builder *builder, int64_t number);

/* As printf; for integers and strings, whose form no locale changes. */
void cp_text_addf(struct cp_text_builder *builder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text for the content or a quoted attribute of XML 1.0: markup is escaped; what XML cannot hold, such as control
 * characters and bytes that are no UTF-8, becomes U+FFFD. */
void cp_text_add_xml(struct cp_text_builder *builder, struct cp_text text);

/* Characters (code points) of a UTF-8 text. */
int64_t cp_text_characters(struct cp_text text);

/* The text in at most `characters` (at least 1): where it has more, an ellipsis stands for what is cut after its first
 * third, as the ends of hierarchical names tell them apart. */
struct cp_text cp_text_shortened(struct cp_arena *arena, struct cp_text text, int64_t characters);

#endif
