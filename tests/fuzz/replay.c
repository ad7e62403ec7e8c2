/* A fuzz target without a fuzzer: runs it once on every file of its corpus, as tests, so that what a fuzzer once found
 * stays found. fuzz_NAME reads tests/fuzz/corpus/NAME; with arguments, those files instead. Prints TAP; a crash in the
 * target ends the program after the name of the file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of a file in memory of exactly that size, so that AddressSanitizer sees a read past them. The caller frees
 * them. NULL, with errno set, when the file cannot be read. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    uint8_t *bytes = NULL;
    size_t capacity = 0;
    *size = 0;
    do {
        capacity = capacity * 2 + 4096;
        uint8_t *larger = realloc(bytes, capacity);
        if (larger == NULL) break;
        bytes = larger;
        *size += fread(bytes + *size, 1, capacity - *size, file);
    } while (*size == capacity);
    if (ferror(file) || *size == capacity) {
        free(bytes);
        bytes = NULL;
    } else {
        bytes = realloc(bytes, *size > 0 ? *size : 1);
    }
    fclose(file);
    return bytes;
}

/* Returns the number of failures, 0 or 1. */
static int replay(int number, const char *path)
{
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL) {
        perror(path);
        printf("not ok %d - %s\n", number, path);
        return 1;
    }
    printf("# %s, %zu bytes\n", path, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    printf("ok %d - %s\n", number, path);
    return 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_corpus(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_visible, alphasort);
    if (count <= 0) {
        printf("not ok 1 - there is no corpus in %s\n", directory);
        return 1;
    }
    int failures = 0;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        failures += replay(i + 1, path);
        free(entries[i]);
    }
    free(entries);
    return failures;
}

int main(int argc, char **argv)
{
    int failures = 0;
    for (int i = 1; i < argc; i++) failures += replay(i, argv[i]);
    if (argc > 1) return failures > 0;

    const char *name = strstr(argv[0], "fuzz_");
    char directory[256];
    snprintf(directory, sizeof directory, "tests/fuzz/corpus/%s", name != NULL ? name + strlen("fuzz_") : "");
    return replay_corpus(directory) > 0;
}
