/* Tensors in JSON: nested lists as NumPy's tolist() writes them, {"shape", "dtype", "data": [flat]}, or {"shape",
 * "dtype", "base64": little-endian bytes}. */
#ifndef CP_TENSOR_JSON_H
#define CP_TENSOR_JSON_H

#include "core/reference/tensor.h"
#include "server/reading.h"

enum cp_tensor_encoding { CP_TENSOR_NESTED, CP_TENSOR_FLAT, CP_TENSOR_BASE64 };

/* "float64", "float32", "int64": by enum cp_element, NULL-terminated. */
extern const char *const cp_element_names[];

/* "nested", "flat", "base64": by enum cp_tensor_encoding, NULL-terminated. */
extern const char *const cp_tensor_encoding_names[];

/* The element type that the tensor says it has, without looking at the rest of it; false when it says none. */
bool cp_tensor_says_element(const struct cp_json *value, enum cp_element *element);

/* Read a tensor of 1 to CP_MAX_RANK axes and at most CP_MAX_TENSOR_ELEMENTS elements, which are converted to `element`:
 * floats round to nearest, integers have to be exact. Numbers in JSON are finite; base64 may hold any. False after
 * recording all that is wrong with the tensor. The elements lie in the reader's arena. */
bool cp_read_tensor(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                    enum cp_element element, struct cp_tensor *tensor);

/* Index of the first element that JSON cannot write as a number, or −1. */
int64_t cp_tensor_first_not_finite(const struct cp_tensor *tensor);

/* Write it: nested lists, or an object as above. Unless it is base64 all elements must be finite. Doubles are written in
 * the fewest digits that read back the same, floats as the doubles that they are. */
void cp_write_tensor(struct cp_writer *writer, const struct cp_tensor *tensor, enum cp_tensor_encoding encoding);

#endif
