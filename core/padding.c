#include "core/padding.h"

static bool resolve_same(const struct cp_padding *padding, int64_t input, bool transposed, struct cp_window *window)
{
    enum cp_same_side side = padding->mode == CP_PAD_SAME_UPPER ? CP_SAME_UPPER : CP_SAME_LOWER;
    window->rounding = CP_ROUND_FLOOR;
    enum cp_window_status status =
        transposed ? cp_transposed_pad_same(window, side) : cp_window_pad_same(window, input, side);
    return status == CP_WINDOW_OK;
}

static bool resolve_word(const struct cp_padding *padding, int64_t span, int64_t input, bool transposed,
                         struct cp_window *window)
{
    switch (padding->mode) {
    case CP_PAD_EXPLICIT: break;
    case CP_PAD_VALID: window->pad_begin = window->pad_end = 0; return true;
    case CP_PAD_HALF: window->pad_begin = window->pad_end = span / 2; return true;
    case CP_PAD_FULL: window->pad_begin = window->pad_end = span - 1; return true;
    case CP_PAD_SAME: return cp_window_pad_torch_same(window);
    case CP_PAD_SAME_UPPER:
    case CP_PAD_SAME_LOWER: return resolve_same(padding, input, transposed, window);
    }
    return false;
}

bool cp_padding_resolve(const struct cp_padding *padding, int axis, int64_t input, bool transposed,
                        struct cp_window *window)
{
    int64_t span;
    if (!cp_window_span(window, &span)) return false;
    if (__builtin_expect(padding->mode != CP_PAD_EXPLICIT, 0))
        return resolve_word(padding, span, input, transposed, window);
    window->pad_begin = padding->begin[axis];
    window->pad_end = padding->end[axis];
    return true;
}
