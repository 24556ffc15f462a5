/* new - a project from a template: the samples that are installed beside the command. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

enum { PATH = 4096 };

static const char blank[] =
    "{\n"
    "  \"headrace\": 1,\n"
    "  \"name\": \"blank\",\n"
    "  // Put CSV files with a header line into data/.\n"
    "  \"nodes\": {\n"
    "    \"examples\":   {\"component\": \"CsvExampleGen\", \"properties\": {\"input_base\": "
    "\"data\"}},\n"
    "    \"statistics\": {\"component\": \"StatisticsGen\", \"inputs\": {\"examples\": "
    "\"examples\"}},\n"
    "    \"schema\":     {\"component\": \"SchemaGen\", \"inputs\": {\"statistics\": "
    "\"statistics\"}}\n"
    "  }\n"
    "}\n";
static const char blank_data[] = "x,y\n1,0.5\n2,1.5\n3,2.5\n4,3.5\n5,4.5\n6,5.5\n";

static bool fail(const char *what, const char *path)
{
    fprintf(stderr, "headrace: cannot %s \"%s\": %s\n", what, path,
            errno == EEXIST ? "it is there already" : strerror(errno));
    return false;
}

static bool write_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wx");
    bool ok = f && fwrite(bytes, 1, n, f) == n;

    if (f && fclose(f) == EOF)
        ok = false;
    return ok || fail("write", path);
}

static bool copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wbx") : NULL;
    char bytes[65536];
    bool ok = in && out;
    size_t n;

    while (ok && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        ok = fwrite(bytes, 1, n, out) == n;
    ok = ok && !ferror(in);
    if (in)
        fclose(in);
    if (out && fclose(out) == EOF)
        ok = false;
    return ok || fail("copy", to);
}

static bool copy_tree(const char *from, const char *to, int depth)
{
    char a[PATH], b[PATH];
    struct dirent *entry;
    struct stat st;
    bool ok = true;
    DIR *dir = opendir(from);

    if (!dir)
        return fail("read", from);
    if (mkdir(to, 0755) < 0 && (depth || errno != EEXIST)) {
        closedir(dir);
        return fail("make", to);
    }
    while (ok && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "CMakeLists.txt"))
            continue;
        if (snprintf(a, PATH, "%s/%s", from, entry->d_name) >= PATH ||
            snprintf(b, PATH, "%s/%s", to, entry->d_name) >= PATH || stat(a, &st) < 0)
            ok = fail("copy", entry->d_name);
        else
            ok = S_ISDIR(st.st_mode) ? depth < 8 && copy_tree(a, b, depth + 1) : copy_file(a, b);
    }
    closedir(dir);
    return ok;
}

/* samples/NAME of the installation: beside the program, moved or not. */
static bool sample_dir(const char *name, char *to)
{
    char self[PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n < 0)
        return false;
    self[n] = '\0';
    if (!(slash = strrchr(self, '/')))
        return false;
    *slash = '\0';
    return snprintf(to, PATH, "%s/../share/headrace/samples/%s", self, name) < PATH &&
           access(to, R_OK) == 0;
}

static bool make_blank(const char *dir)
{
    char path[PATH];

    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        return fail("make", dir);
    if (snprintf(path, PATH, "%s/pipeline.json", dir) >= PATH ||
        !write_file(path, blank, sizeof blank - 1))
        return false;
    if (snprintf(path, PATH, "%s/data", dir) >= PATH || mkdir(path, 0755) < 0)
        return fail("make", path);
    return snprintf(path, PATH, "%s/data/rows.csv", dir) < PATH &&
           write_file(path, blank_data, sizeof blank_data - 1);
}

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    bool empty = true;

    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

static int new(const struct args *a)
{
    const char *template = arg_text(a, "--template"), *dir = a->words[0];
    char from[PATH];
    bool ok;

    if (!template)
        template = "penguin";
    if (!is_empty(dir)) {
        fprintf(stderr, "headrace: \"%s\" is not empty; name a new directory\n", dir);
        return EXIT_WRONG;
    }
    if (!strcmp(template, "blank")) {
        ok = make_blank(dir);
    } else if (!sample_dir(template, from)) {
        fprintf(stderr, "headrace: the template \"%s\" is not installed beside the command\n",
                template);
        ok = false;
    } else {
        ok = copy_tree(from, dir, 0);
    }
    if (!ok)
        return EXIT_WRONG;
    printf("%s is ready.    next: cd %s && headrace run\n", dir, dir);
    return EXIT_DONE;
}

static const struct option options[] = {
    VALUE("--template", "penguin|taxi|blank", "what it begins with (default: penguin)"),
    END_OPTIONS,
};
const struct verb verb_new = {
    .name = "new",
    .group = GROUP_RUN,
    .words = "DIR",
    .line = "make a project that runs",
    .page = "Makes the directory DIR with a pipeline, its files and data: a project that runs as "
            "it is.",
    .options = options,
    .run = new,
};
