// pipeline/commands/cache_export_command.cpp: headstart cache export: the cached rows of a dataset as one
// plain features.h5 or features.npy.
#include <fmt/format.h>

#include "pipeline/commands/commands.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/feature_file.hpp"
#include "pipeline/rows/features_npy.hpp"
#include "pipeline/rows/represented_rows.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/rows/stored_rows.hpp"
#include "pipeline/run/output_check.hpp"
#include "pipeline/run/split_rows.hpp"

namespace headstart {
namespace {

struct CacheExportOptions {
  std::filesystem::path dataset;
  std::filesystem::path out;
  StageOneOptions stage_one;
  Tap tap = vgg16().default_tap;
  Pooling pooling = Pooling::kFlatten;
  FeatureType type = FeatureType::kFloat32;
};

void describe_cache_export(OptionList& list, CacheExportOptions& options) {
  describe_dataset(list, options.dataset, options.stage_one.images);
  list({.name = "out",
        .help = "The file to write: NAME.h5 is HDF5, NAME.npy NumPy's format with labels.csv beside it",
        .value = "FILE",
        .letter = "o",
        .required = true},
       options.out);
  list.choice({.name = "tap", .help = "The activations that become features"}, options.tap, tap_choices());
  list({.name = "pooling", .help = "All of a map, or one number a channel"}, options.pooling);
  list({.name = "dtype", .help = "How they are stored; float16 changes them by about 0.02 %"}, options.type);
  describe_network(list, options.stage_one.network, options.stage_one.weights);
  describe_engine(list, options.stage_one);
  describe_extractor(list, options.stage_one);
}

void run_cache_export(const CacheExportOptions& options, const Session& session) {
  for (const std::filesystem::path& file : feature_files(options.out))
    check_output("-o", file, {options.dataset, options.stage_one.weights, session.config_file});
  if (is_npy_name(options.out)) check_files_beside_npy(options.out);
  StageOne stage_one(load_weights(options.stage_one.network, options.stage_one.weights), {options.tap},
                     options.stage_one, session);
  const ExtractedDataset dataset = extract_dataset(options.dataset, 1, options.stage_one, session, stage_one);
  session.console.note(describe(dataset));
  FeatureTable table;
  table.configuration = stage_one.configuration();
  table.tap = options.tap;
  table.shape = stage_one.map_shape();
  table.pooling = options.pooling;
  table.class_names = dataset.manifest.classes;
  table.keys = keys_of(dataset);
  for (const std::size_t used : dataset.used) {
    const Sample& sample = dataset.manifest.samples[used];
    table.labels.push_back(sample.label);
    table.paths.push_back(sample.path);
    table.splits.emplace_back(to_string(sample.split));
    table.groups.push_back(sample.group);
  }
  const Representation representation{options.pooling, Transform::kNone};
  const std::int64_t columns =
      pooled_columns(options.pooling, static_cast<std::int64_t>(table.shape.size()), table.shape.channels);
  const StoredRows stored = cached_rows(stage_one, table.keys);
  write_feature_file(options.out, table, columns, options.type, [&](std::span<const RowIndex> rows) {
    return model_rows(stored, rows, representation);
  });
  fmt::print("{}: {} rows of {} features\n", options.out.string(), table.labels.size(), columns);
}

}  // namespace

Command cache_export_command() {
  return make_command<CacheExportOptions>(
      {.name = "cache export",
       .purpose = "Write the features, labels and paths of a dataset to one HDF5 or NumPy file"},
      describe_cache_export, run_cache_export);
}

}  // namespace headstart
