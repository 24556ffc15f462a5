#!/bin/sh
# protoc.sh BUILD - what a run writes is decoded by protoc, by messages written here.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
headrace=$1/bin/headrace
"$headrace" new "$work/p" >/dev/null
(cd "$work/p" && "$headrace" run --quiet)
artifacts=$work/p/.headrace/artifacts
cat >"$work/m.proto" <<'END'
syntax = "proto2";
package check;
message List { repeated Dataset datasets = 1; }
message Dataset { optional string name = 1; optional uint64 num_examples = 2; repeated Feature features = 3; }
message Feature { optional int32 type = 2; optional Numeric num_stats = 3; optional Path path = 8; }
message Path { repeated string step = 1; }
message Numeric { optional double mean = 2; optional double std_dev = 3; }
message Slice { optional Key slice_key = 1; repeated MetricKV metric_keys_and_values = 3; }
message Key {}
message MetricKV { optional MetricKey key = 1; optional MetricValue value = 2; }
message MetricKey { optional string name = 1; }
message MetricValue { optional DoubleValue double_value = 1; }
message DoubleValue { optional double value = 1; }
END
protoc --decode=check.List -I"$work" "$work/m.proto" \
    <"$(find "$artifacts/statistics" -path '*Split-train/FeatureStats.pb')" >"$work/text"
grep -q 'num_examples: 234' "$work/text"
grep -q 'step: "culmen_length_mm"' "$work/text"
grep -q 'mean: 0.44068376' "$work/text"
# an empty message of anomalies is no bytes, or decodes
protoc --decode_raw <"$(find "$artifacts/anomalies" -path '*Split-eval/SchemaDiff.pb')" >/dev/null
python3 - "$(find "$artifacts/evaluator" -name 'metrics-00000-of-00001.tfrecord')" "$work/slice" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", data[:8])
open(sys.argv[2], "wb").write(data[12:12 + n])
assert len(data) >= 16 + n
END
protoc --decode=check.Slice -I"$work" "$work/m.proto" <"$work/slice" >"$work/metrics"
grep -q 'sparse_categorical_accuracy' "$work/metrics"
