// tfrecord_peer FILE - the same records through protobuf's C++: parsed into one message, and
// written from it.  Prints the nanoseconds of CPU a row of each, and whether the bytes that come
// out, with the map in order, are those of the file.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "example.pb.h"

static double cpu_ns()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e9 * double(t.tv_sec) + double(t.tv_nsec);
}

static std::string in_order(const tensorflow::Example &example)
{
    std::string to;
    {
        google::protobuf::io::StringOutputStream stream(&to);
        google::protobuf::io::CodedOutputStream coded(&stream);
        coded.SetSerializationDeterministic(true);
        example.SerializeToCodedStream(&coded);
    }
    return to;
}

int main(int, char **argv)
{
    std::ifstream in(argv[1], std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::vector<std::pair<const char *, size_t>> records;
    for (size_t at = 0; at < all.size();) {
        uint64_t n;
        std::memcpy(&n, all.data() + at, 8);
        records.emplace_back(all.data() + at + 12, n);
        at += n + 16;
    }
    enum { BATCH = 4096 };
    std::vector<tensorflow::Example> examples(BATCH); // used again, as a careful program does
    double decode = 0, encode = 0;
    bool same = true;
    std::string to;
    for (size_t from = 0; from < records.size(); from += BATCH) {
        size_t n = records.size() - from < BATCH ? records.size() - from : BATCH;
        double start = cpu_ns();
        for (size_t i = 0; i < n; i++)
            same &= examples[i].ParseFromArray(records[from + i].first, int(records[from + i].second));
        decode += cpu_ns() - start;
        start = cpu_ns();
        for (size_t i = 0; i < n; i++)
            examples[i].SerializeToString(&to);
        encode += cpu_ns() - start;
        for (size_t i = 0; i < n; i += 97)
            same &= in_order(examples[i]) ==
                    std::string(records[from + i].first, records[from + i].second);
    }
    std::printf("{\"rows\": %zu, \"decode\": %.1f, \"encode\": %.1f, \"same\": %s}\n", records.size(),
                decode / double(records.size()), encode / double(records.size()),
                same ? "true" : "false");
}
