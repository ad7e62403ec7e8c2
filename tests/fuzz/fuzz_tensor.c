/* Tensors: what is read is written in every form, and each form is read again as the same bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/tensor.h"
#include "tests/fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_tensor(struct cp_arena *arena, struct cp_text text, enum cp_element element, struct cp_tensor *tensor)
{
    struct cp_reader reader;
    struct cp_json_error error;
    struct cp_path root = {0};
    const struct cp_json *value = cp_json_parse(arena, text.bytes, text.size, &error);
    if (!value) return false;
    cp_reader_begin(&reader, arena);
    bool read = cp_read_tensor(&reader, value, &root, element, tensor);
    if (read == (reader.problems.count > 0)) abort();
    return read;
}

static bool same(const struct cp_tensor *one, const struct cp_tensor *other)
{
    size_t bytes = (size_t)cp_tensor_count(one) * cp_element_bytes(one->element);
    return one->shape.rank == other->shape.rank &&
           memcmp(one->shape.size, other->shape.size, (size_t)one->shape.rank * sizeof one->shape.size[0]) == 0 &&
           memcmp(one->data, other->data, bytes) == 0;
}

static void check_element(struct cp_text text, enum cp_element element)
{
    struct cp_exact_memory memory;
    struct cp_tensor tensor, again;
    cp_exact_memory_open(&memory);
    bool read = read_tensor(&memory.arena, text, element, &tensor);
    bool finite = read && cp_tensor_first_not_finite(&tensor) < 0;
    for (int encoding = finite ? CP_TENSOR_NESTED : CP_TENSOR_BASE64; read && encoding <= CP_TENSOR_BASE64;
         encoding++) {
        struct cp_writer writer;
        cp_writer_begin(&writer, &memory.arena, 64);
        cp_write_tensor(&writer, &tensor, (enum cp_tensor_encoding)encoding);
        struct cp_text written = cp_writer_text(&writer);
        if (read_tensor(&memory.arena, written, element, &again) && same(&tensor, &again)) continue;
        fprintf(stderr, "as %s, %s: %.*s\n", cp_element_names[element], cp_tensor_encoding_names[encoding],
                CP_FUZZ_SHOWN(written));
        abort();
    }
    cp_exact_memory_close(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int element = CP_FLOAT64; element <= CP_INT64; element++)
        check_element((struct cp_text){(const char *)data, size}, (enum cp_element)element);
    return 0;
}
