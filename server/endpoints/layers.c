/* GET /v1/layers: every layer type with its members, from the table of layer kinds. */
#include "core/layer.h"
#include "server/endpoints/endpoints.h"

static const char *const type_names[] = {
    [CP_MEMBER_INTEGER] = "integer",  [CP_MEMBER_AXES] = "integer_or_list",
    [CP_MEMBER_BOOLEAN] = "boolean",  [CP_MEMBER_NUMBER] = "number",
    [CP_MEMBER_WORD] = "word",        [CP_MEMBER_PADDING] = "padding",
    [CP_MEMBER_BORDERS] = "borders",  [CP_MEMBER_SIZES] = "sizes",
    [CP_MEMBER_SHAPE] = "shape",      [CP_MEMBER_FACTORS] = "number_or_list",
    [CP_MEMBER_LAYER] = "layer_name",
};

/* The default as it stands in the kind's own parameter struct. */
static void write_default(struct cp_writer *writer, const struct cp_layer_kind *kind, const struct cp_member *member)
{
    const void *value = (const char *)kind->defaults + member->offset;
    switch (member->type) {
    case CP_MEMBER_INTEGER:
    case CP_MEMBER_AXES: cp_write_integer(writer, *(const int64_t *)value); break;
    case CP_MEMBER_BOOLEAN: cp_write_boolean(writer, *(const bool *)value); break;
    case CP_MEMBER_NUMBER: cp_write_double(writer, *(const double *)value); break;
    case CP_MEMBER_WORD: cp_write_string(writer, member->words[*(const int *)value]); break;
    case CP_MEMBER_PADDING:
    case CP_MEMBER_BORDERS: cp_write_integer(writer, 0); break;
    default: cp_write_null(writer); break;
    }
}

static void write_words(struct cp_writer *writer, const char *const *words)
{
    CP_WRITE_NAME(writer, "words");
    cp_write_array_begin(writer);
    for (; *words; words++)
        if (**words) cp_write_string(writer, *words);
    cp_write_array_end(writer);
}

static bool has_range(const struct cp_member *member)
{
    bool numeric = member->type != CP_MEMBER_BOOLEAN && member->type != CP_MEMBER_WORD &&
                   member->type != CP_MEMBER_LAYER && member->type != CP_MEMBER_FACTORS;
    return numeric && (member->type != CP_MEMBER_NUMBER || member->maximum);
}

static void write_member(struct cp_writer *writer, const struct cp_layer_kind *kind, const struct cp_member *member)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "name");
    cp_write_text(writer, member->name);
    CP_WRITE_NAME(writer, "type");
    cp_write_string(writer, type_names[member->type]);
    CP_WRITE_NAME(writer, "required");
    cp_write_boolean(writer, member->required);
    if (!member->required) {
        CP_WRITE_NAME(writer, "default");
        if (member->default_text)
            cp_write_null(writer);
        else
            write_default(writer, kind, member);
    }
    if (member->default_text) {
        CP_WRITE_NAME(writer, "default_text");
        cp_write_string(writer, member->default_text);
    }
    CP_WRITE_NAME(writer, "nullable");
    cp_write_boolean(writer, member->nullable);
    if (has_range(member)) {
        CP_WRITE_NAME(writer, "minimum");
        cp_write_integer(writer, member->minimum);
        CP_WRITE_NAME(writer, "maximum");
        cp_write_integer(writer, member->maximum ? member->maximum : CP_MAX_COUNT);
    }
    if (member->words) write_words(writer, member->words);
    CP_WRITE_NAME(writer, "summary");
    cp_write_string(writer, member->summary);
    cp_write_object_end(writer);
}

static void write_type(struct cp_writer *writer, const struct cp_layer_type *type)
{
    const struct cp_layer_kind *kind = type->kind;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "type");
    cp_write_string(writer, type->name);
    CP_WRITE_NAME(writer, "family");
    cp_write_string(writer, kind->family);
    CP_WRITE_NAME(writer, "summary");
    cp_write_string(writer, kind->summary);
    CP_WRITE_NAME(writer, "axes");
    cp_write_count(writer, type->axes ? type->axes : CP_UNKNOWN);
    CP_WRITE_NAME(writer, "merges");
    cp_write_boolean(writer, kind->merges);
    CP_WRITE_NAME(writer, "members");
    cp_write_array_begin(writer);
    for (int at = 0; at < kind->member_count; at++) write_member(writer, kind, &kind->members[at]);
    cp_write_array_end(writer);
    cp_write_object_end(writer);
}

void cp_endpoint_layers(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 16 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "layers");
    cp_write_array_begin(&writer);
    for (int at = 0; at < cp_layer_type_count; at++) write_type(&writer, &cp_layer_types[at]);
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}
