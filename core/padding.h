/* Padding as written, turned into cells: translates the words of frameworks into explicit begin and end. */
#ifndef CP_PADDING_H
#define CP_PADDING_H

#include "core/layer.h"

/* Set window->pad_begin and pad_end of one axis from the padding as written; kernel, stride and dilation are set before.
 * SAME words also set the rounding to floor, as they fix the output size themselves. `input` is the layer's own input on
 * this axis. PyTorch's `same` is not checked for stride 1 here. False on overflow. */
CP_MUST_CHECK bool cp_padding_resolve(const struct cp_padding *padding, int axis, int64_t input, bool transposed,
                                      struct cp_window *window);

#endif
