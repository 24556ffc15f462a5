/* replay.c - a main() for fuzz targets: gives each named file, and each file of a named
 * directory, to LLVMFuzzerTestOneInput().  With clang's libFuzzer it is left out.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, n;

    if (!f)
        return 0;
    do {
        uint8_t *more = realloc(data, size + 65536);

        if (!more)
            break;
        data = more;
        n = fread(data + size, 1, 65536, f);
        size += n;
    } while (n == 65536);
    fclose(f);
    /* A copy of the exact size, so that a read past the end is seen. */
    uint8_t *exact = malloc(size ? size : 1);
    if (exact) {
        if (size)
            memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    int i, count = 0;

    for (i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;
        char path[4096];

        if (!dir) {
            count += replay_file(argv[i]);
            continue;
        }
        while ((entry = readdir(dir)))
            if (entry->d_name[0] != '.' &&
                snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name) < (int)sizeof path)
                count += replay_file(path);
        closedir(dir);
    }
    printf("%d inputs\n", count);
    return count ? 0 : 1;
}
