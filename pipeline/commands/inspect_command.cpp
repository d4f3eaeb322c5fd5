// pipeline/commands/inspect_command.cpp: headstart inspect: stage one through the cache, then what the
// features show about the images and their labels. Trains nothing.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "data/dataset/discovery.hpp"
#include "data/error.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/run/inspection.hpp"
#include "pipeline/run/inspection_report.hpp"
#include "pipeline/run/output_check.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::filesystem::path dataset;
  std::filesystem::path json;  ///< empty: no file
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
  describe_network(list, options.stage_one.network, options.stage_one.weights);
  describe_engine(list, options.stage_one);
  describe_dry_run(list, options.dry_run);
  describe_extractor(list, options.stage_one);
}

/// Checks the number of images before stage one, which may take hours.
void check_size(const InspectOptions& options) {
  const std::size_t images =
      discover(options.dataset, discovery_options(options.stage_one.images)).samples.size();
  const std::size_t most = most_inspected_rows();
  if (images > most) {
    throw Error{Error::Kind::kData, "cannot inspect the dataset",
                fmt::format("{}: {} images, and at most {} can be compared with each other",
                            printable(options.dataset.string()), images, most),
                "inspect parts of it: a .csv of some thousand images each"};
  }
}

/// The used rows of a dataset in the form that head/ takes.
struct LabelledRows {
  std::vector<Sha256> keys;
  std::vector<std::int32_t> labels;
};

LabelledRows rows_of(const ExtractedDataset& dataset, const InspectOptions& options) {
  LabelledRows rows;
  for (const std::size_t sample : dataset.used) {
    rows.keys.push_back(*dataset.content[sample]);
    rows.labels.push_back(dataset.manifest.samples[sample].label);
  }
  if (rows.keys.size() < 2) {
    throw Error{Error::Kind::kData, "cannot inspect the dataset",
                fmt::format("{}: one usable image", printable(options.dataset.string())),
                "at least two are needed"};
  }
  return rows;
}

/// LogME of stage one's tap, and of every other tap whose rows are already in the cache.
std::vector<FeatureScore> score_taps(StageOne& stage_one, const LabelledRows& rows, int classes,
                                     const Session& session) {
  std::vector<FeatureScore> scores;
  for (const Tap& tap : stage_one.network().taps) {
    std::unique_ptr<FeatureCache> cache;
    ReadRows read = [&](std::span<const Sha256> keys) { return stage_one.features(keys); };
    if (tap != stage_one.taps().front()) {
      cache = std::make_unique<FeatureCache>(stage_one.cache_folder(), stage_one.configuration(), tap,
                                             [&](const std::string& line) { session.console.warn(line); });
      if (!std::all_of(rows.keys.begin(), rows.keys.end(),
                       [&](const Sha256& key) { return cache->contains(key); })) {
        continue;
      }
      read = [&](std::span<const Sha256> keys) { return cache->read(keys); };
    }
    const MapShape shape = tap_shape(stage_one.network(), tap, stage_one.configuration().resize.size);
    const std::vector<FeatureScore> of_tap =
        score_features(tap, shape, read, rows.keys, rows.labels, classes, session.threads, on_interrupt());
    scores.insert(scores.end(), of_tap.begin(), of_tap.end());
  }
  std::stable_sort(scores.begin(), scores.end(), [](const FeatureScore& a, const FeatureScore& b) {
    return a.log_maximum_evidence > b.log_maximum_evidence;
  });
  return scores;
}

Matrix kernel_of(StageOne& stage_one, const LabelledRows& rows, int threads) {
  const SparseRows features = stage_one.features(rows.keys);
  Workers workers(threads, on_interrupt());
  return kernel_matrix(TiledRows(features.view(), kTileFeatures), workers);
}

void run_inspect(const InspectOptions& options, const Session& session) {
  if (!options.dry_run) {
    check_output("-o", options.json, {options.dataset, options.stage_one.weights, session.config_file});
  }
  check_size(options);
  const Network& network = options.stage_one.network;
  StageOne stage_one(load_weights(network, options.stage_one.weights), {network.default_tap},
                     options.stage_one, session);
  if (options.dry_run) {
    print_plan(options.dataset, 2, session, stage_one);
    return;
  }
  const ExtractedDataset dataset = extract_dataset(options.dataset, 2, options.stage_one, session, stage_one);
  session.console.note("stage one: " + describe(dataset));

  const LabelledRows rows = rows_of(dataset, options);
  const auto classes = static_cast<int>(dataset.manifest.classes.size());
  Inspection inspection = inspect_rows(kernel_of(stage_one, rows, session.threads), rows.labels, classes,
                                       options.threshold, on_interrupt());
  inspection.scores = score_taps(stage_one, rows, classes, session);

  if (!options.json.empty()) {
    Json json{{"version", HEADSTART_VERSION},
              {"images",
               {{"total", dataset.manifest.samples.size()},
                {"used", dataset.used.size()},
                {"rejected", dataset.images.rejected}}},
              {"fingerprint", stage_one.configuration().fingerprint()}};
    json.update(inspection_json(inspection, dataset));
    write_file(options.json, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  fmt::print("{}", inspection_text(inspection, dataset, static_cast<std::size_t>(options.top)));
}

}  // namespace

Command inspect_command() {
  return make_command<InspectOptions>(
      {.name = "inspect",
       .purpose = "Look for copies, wrong labels, outliers and overlapping classes before training"},
      describe_inspect, run_inspect);
}

}  // namespace headstart
