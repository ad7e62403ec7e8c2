#include "core/fix.h"

#include <string.h>

static void fix_padding(struct cp_padding *padding, const struct cp_member *member, const struct cp_fix *fix)
{
    if (fix->form == CP_FIX_WORD) {
        for (int word = 0; member->words[word]; word++)
            if (!strcmp(member->words[word], fix->word)) padding->mode = (enum cp_padding_mode)(CP_PAD_VALID + word);
        return;
    }
    padding->mode = CP_PAD_EXPLICIT;
    for (int axis = 0; axis < fix->count; axis++) {
        bool pairs = fix->form == CP_FIX_PAIRS;
        padding->begin[axis] = fix->values[pairs ? 2 * axis : axis];
        padding->end[axis] = fix->values[pairs ? 2 * axis + 1 : axis];
    }
}

static void fix_member(char *params, const struct cp_member *member, const struct cp_fix *fix)
{
    void *value = params + member->offset;
    switch (member->type) {
    case CP_MEMBER_PADDING:
    case CP_MEMBER_BORDERS: fix_padding(value, member, fix); break;
    case CP_MEMBER_INTEGER:
    case CP_MEMBER_AXES: memcpy(value, fix->values, (size_t)fix->count * sizeof *fix->values); break;
    case CP_MEMBER_SIZES: {
        struct cp_sizes *sizes = value;
        sizes->count = fix->count;
        sizes->scalar = false;
        memcpy(sizes->at, fix->values, (size_t)fix->count * sizeof *fix->values);
        break;
    }
    default: break; /* no finding fixes these */
    }
}

struct cp_layer cp_layer_fixed(const struct cp_layer *layer, const struct cp_fix *fix, struct cp_arena *arena)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    struct cp_layer fixed = *layer;
    char *params = cp_arena_take(arena, kind->parameter_size, alignof(max_align_t));
    memcpy(params, layer->params, kind->parameter_size);
    fixed.params = params;
    for (int at = 0; at < kind->member_count; at++) {
        if (strcmp(kind->members[at].name.bytes, fix->member) != 0) continue;
        fix_member(params, &kind->members[at], fix);
        fixed.given |= 1u << at;
    }
    return fixed;
}

struct cp_stack cp_stack_fixed(const struct cp_plan *plan, struct cp_arena *arena)
{
    struct cp_stack fixed = *plan->stack;
    struct cp_layer *layers = CP_NEW_ARRAY(arena, struct cp_layer, fixed.layer_count);
    memcpy(layers, fixed.layers, fixed.layer_count * sizeof *layers);
    for (const struct cp_finding *finding = plan->findings.first; finding; finding = finding->next)
        if (finding->fix.member) layers[finding->layer] = cp_layer_fixed(&layers[finding->layer], &finding->fix, arena);
    fixed.layers = layers;
    return fixed;
}
