// pipeline/commands/inspect_command.cpp: headstart inspect: stage one through the cache, or exported rows,
// then what the features show about the images and their labels. Trains nothing.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset/class_names.hpp"
#include "data/error.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/feature_file_reader.hpp"
#include "pipeline/rows/pooled_memory.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/rows/stored_rows.hpp"
#include "pipeline/run/inspection.hpp"
#include "pipeline/run/inspection_report.hpp"
#include "pipeline/run/inspection_work.hpp"
#include "pipeline/run/output_check.hpp"
#include "pipeline/run/split_rows.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::filesystem::path dataset;
  std::filesystem::path features;  ///< exported rows with their labels, instead of a dataset; empty: none
  std::filesystem::path json;      ///< empty: no file
  StageOneOptions stage_one;
  double threshold = kNearDuplicate;  ///< a pair above this cosine is a near-duplicate
  int top = 20;                       ///< lines of each table on stdout
  bool dry_run = false;
};

void describe_inspect(OptionList& list, InspectOptions& options) {
  describe_dataset(list, options.dataset, options.stage_one.images);
  list({.name = "out",
        .help = "Write everything to this file as well, as JSON",
        .value = "FILE",
        .letter = "o"},
       options.json);
  list({.name = "threshold", .help = "Cosine above which two images are near-duplicates", .high = 1},
       options.threshold);
  list({.name = "top", .help = "Lines of each table; the file has all", .high = 1e6}, options.top);
  list({.name = "features",
        .help = "Rows and labels that `headstart cache export` wrote, in place of a dataset",
        .value = "FILE.h5"},
       options.features);
  describe_network(list, options.stage_one.network, options.stage_one.weights);
  describe_engine(list, options.stage_one);
  describe_dry_run(list, options.dry_run);
  describe_extractor(list, options.stage_one);
}

/// Checks the memory before stage one, which may take hours.
void check_memory(std::size_t images, std::size_t classes, std::size_t channels, const std::string& name,
                  const Session& session) {
  const std::size_t needed = inspection_bytes(images, channels, classes, session.threads);
  const auto allowed = static_cast<std::size_t>(bytes_for_rows());
  if (needed <= allowed) return;
  throw Error{Error::Kind::kData, "cannot inspect the dataset",
              fmt::format("{}: {} images take {} of memory, and {} are allowed", name, images,
                          format_bytes(needed), format_bytes(allowed)),
              "inspect parts of it: a .csv of fewer images each"};
}

void check_two(std::size_t images, const std::string& name) {
  if (images >= 2) return;
  throw Error{Error::Kind::kData, "cannot inspect the dataset",
              fmt::format("{}: {} usable image", name, images), "at least two are needed"};
}

std::vector<std::int32_t> labels_of(const ExtractedDataset& dataset) {
  std::vector<std::int32_t> labels;
  for (const std::size_t sample : dataset.used) labels.push_back(dataset.manifest.samples[sample].label);
  return labels;
}

/// LogME of stage one's tap, and of every other tap whose rows are already in the cache.
std::vector<FeatureScore> score_taps(StageOne& stage_one, std::span<const Sha256> keys,
                                     const InspectedRows& rows, const InspectionWork& work,
                                     const Session& session) {
  std::vector<FeatureScore> scores;
  const auto add = [&scores](const std::vector<FeatureScore>& more) {
    scores.insert(scores.end(), more.begin(), more.end());
  };
  for (const Tap& tap : stage_one.network().taps) {
    if (tap == stage_one.taps().front()) {
      add(score_features(tap, rows, {}, work));
      continue;
    }
    FeatureCache cache(stage_one.cache_folder(), stage_one.configuration(), tap,
                       [&](const std::string& line) { session.console.warn(line); });
    if (!std::all_of(keys.begin(), keys.end(), [&](const Sha256& key) { return cache.contains(key); }))
      continue;
    const StoredRows stored{
        .count = keys.size(),
        .shape = tap_shape(stage_one.network(), tap, stage_one.configuration().resize.size),
        .layout = cache.layout(keys),
        .place = "the cache",
        .read = [&](std::span<const RowIndex> which) {
          std::vector<Sha256> wanted;
          for (const RowIndex row : which) wanted.push_back(keys[static_cast<std::size_t>(row)]);
          return cache.read(wanted);
        }};
    add(score_features(tap, {stored, rows.labels, rows.classes, {}}, {}, work));
  }
  return scores;
}

/// Prints the inspection, and writes it to -o.
void tell_inspection(const Inspection& inspection, const ExtractedDataset& dataset,
                     const std::string& fingerprint, const InspectOptions& options, const Session& session) {
  session.console.progress_done();
  if (!options.json.empty()) {
    Json json{{"version", HEADSTART_VERSION},
              {"images",
               {{"total", dataset.manifest.samples.size()},
                {"used", dataset.used.size()},
                {"rejected", dataset.images.rejected}}},
              {"fingerprint", fingerprint}};
    json.update(inspection_json(inspection, dataset));
    write_file(options.json, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  fmt::print("{}", inspection_text(inspection, dataset, static_cast<std::size_t>(options.top)));
}

void sort_scores(std::vector<FeatureScore>& scores) {
  std::stable_sort(scores.begin(), scores.end(), [](const FeatureScore& a, const FeatureScore& b) {
    return a.log_maximum_evidence > b.log_maximum_evidence;
  });
}

void inspect_dataset(const InspectOptions& options, const Session& session) {
  const Network& network = options.stage_one.network;
  StageOne stage_one(load_weights(network, options.stage_one.weights), {network.default_tap},
                     options.stage_one, session);
  if (options.dry_run) {
    print_plan(options.dataset, 2, session, stage_one);
    return;
  }
  session.begin_pass(pass::kList);
  const std::string name = printable(options.dataset.string());
  Manifest manifest = find_images(options.dataset, 2, options.stage_one.images, session.console);
  check_memory(manifest.samples.size(), manifest.classes.size(),
               static_cast<std::size_t>(stage_one.map_shape().channels), name, session);
  session.begin_pass(pass::kFeatures);
  const ExtractedDataset dataset =
      extract_dataset(std::move(manifest), options.dataset, options.stage_one, session, stage_one);
  session.console.note("stage one: " + describe(dataset));
  check_two(dataset.used.size(), name);

  session.begin_pass(pass::kInspect);
  const std::vector<Sha256> keys = keys_of(dataset);
  const std::vector<std::int32_t> labels = labels_of(dataset);
  const StoredRows stored = cached_rows(stage_one, keys);
  const InspectedRows rows{stored, labels, static_cast<int>(dataset.manifest.classes.size()),
                           known_groups(dataset)};
  const InspectionWork work = inspection_work(session);
  Inspection inspection = inspect_rows(rows, options.threshold, work);
  inspection.scores = score_taps(stage_one, keys, rows, work, session);
  sort_scores(inspection.scores);
  tell_inspection(inspection, dataset, stage_one.configuration().fingerprint(), options, session);
}

void inspect_features(const InspectOptions& options, const Session& session) {
  const FeatureFileReader file(options.features);
  const FeatureTable& table = file.table();
  ExtractedDataset dataset = dataset_of(table);
  const std::string name = printable(options.features.string());
  decode_classes(dataset.manifest, options.stage_one.images.encoding, options.features.string());
  const StoredRows stored = file.rows();
  check_memory(stored.count, dataset.manifest.classes.size(), static_cast<std::size_t>(stored.shape.channels),
               name, session);
  check_two(stored.count, name);
  const std::string content = fmt::format("{} rows of {} ({}, pooling {})", stored.count, name,
                                          to_string(table.tap), to_string(table.pooling));
  if (options.dry_run) {
    fmt::print("{}\n{}\n", class_table(dataset.manifest), content);
    return;
  }
  session.console.note(content);
  session.begin_pass(pass::kInspect);
  const InspectedRows rows{stored, table.labels, static_cast<int>(dataset.manifest.classes.size()),
                           known_groups(dataset)};
  const InspectionWork work = inspection_work(session);
  Inspection inspection = inspect_rows(rows, options.threshold, work);
  inspection.scores = score_features(table.tap, rows, table.pooling, work);
  sort_scores(inspection.scores);
  tell_inspection(inspection, dataset, table.configuration.fingerprint(), options, session);
}

void run_inspect(const InspectOptions& options, const Session& session) {
  if (options.dataset.empty() && options.features.empty())
    throw Error{Error::Kind::kUsage, "wrong usage", "no dataset", "name one, or pass --features FILE.h5"};
  if (!options.dry_run) {
    check_output("-o", options.json,
                 {options.dataset, options.features, options.stage_one.weights, session.config_file});
  }
  if (options.features.empty()) return inspect_dataset(options, session);
  inspect_features(options, session);
}

}  // namespace

Command inspect_command() {
  return make_command<InspectOptions>(
      {.name = "inspect",
       .purpose = "Look for copies, wrong labels, outliers and overlapping classes before training"},
      describe_inspect, run_inspect);
}

}  // namespace headstart
