// pipeline/commands/extract_command.cpp: headstart extract: stage one only, of the whole dataset or a shard
// of it.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "data/dataset/class_names.hpp"
#include "data/dataset/discovery.hpp"
#include "data/dataset/shard.hpp"
#include "data/error.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/shard_option.hpp"
#include "pipeline/rows/shared_extraction.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {
namespace {

struct ExtractOptions {
  std::filesystem::path dataset;
  StageOneOptions stage_one;
  std::vector<Tap> taps{vgg16().default_tap};
  int views = 0;               ///< of each image, besides the image itself
  std::optional<Shard> shard;  ///< empty: the launcher decides, see shard_of_launch()
  bool dry_run = false;
};

void describe_extract(OptionList& list, ExtractOptions& options) {
  describe_dataset(list, options.dataset, options.stage_one.images);
  list.items(
      {.name = "tap",
       .help = "Activations to cache, with commas between, all in one pass: block1_pool ... "
               "block5_pool",
       .value = "TAP,..."},
      options.taps,
      [](const std::string& word) {
        if (const std::optional<Tap> tap = find_tap(vgg16(), word)) return *tap;
        throw WrongValue(fmt::format("is '{}', needed {}", word, joined_words(tap_choices())));
      },
      [](const Tap& tap) -> ConfigScalar { return tap.name; });
  describe_views(list, options.views, "Random crops and flips of each image to cache as well");
  list.text(
      {.name = "shard",
       .help = "Only part K of N (K from 0 to N-1), drawn by path; none: all of it [the part that "
               "srun, a job array, an indexed job or an mpirun that cannot share the work says]",
       .value = "K/N|none"},
      options.shard, parse_shard,
      [](const std::optional<Shard>& shard) {
        return shard ? fmt::format("{}/{}", shard->index, shard->count) : "";
      },
      "K/N with K from 0 to N-1, or none");
  describe_network(list, options.stage_one.network, options.stage_one.weights);
  describe_engine(list, options.stage_one);
  describe_dry_run(list, options.dry_run);
  describe_extractor(list, options.stage_one);
}

ChosenShard choose_shard(const ExtractOptions& options, const Session& session) {
  if (options.shard) return {*options.shard, "--shard"};
  return shard_of_launch([](const char* name) { return static_cast<const char*>(std::getenv(name)); },
                         session.processes == nullptr ? RanksTake::kShards : RanksTake::kCommonWork);
}

void print_cache(const StageOne& stage_one) {
  fmt::print("cache: {}\n", (stage_one.cache_folder() / stage_one.configuration().fingerprint()).string());
}

ResultCounts results_of(const WorkCounts& work) {
  return {
      .cached = work.cached, .extracted = work.computed, .copies = work.copies, .rejected = work.rejected};
}

void run_together(const ExtractOptions& options, const Session& session, StageOne& stage_one,
                  const Shard& shard, const std::string& prefix) {
  const auto start = std::chrono::steady_clock::now();
  session.begin_pass(pass::kList);
  Manifest manifest = find_images(options.dataset, 1, options.stage_one.images, session.console);
  keep_shard(manifest, shard);
  session.begin_pass(pass::kFeatures);
  const std::vector<WorkCounts> counts =
      extract_together(manifest, options.stage_one.images, options.views, session, stage_one,
                       printable(options.dataset.string()));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    session.console.note(
        fmt::format("rank {}: {} images: {}", rank, counts[rank].done, describe(results_of(counts[rank]))));
  }
  const WorkCounts all = std::accumulate(counts.begin(), counts.end(), WorkCounts{},
                                         [](WorkCounts sum, const WorkCounts& one) { return sum += one; });
  if (shard.is_whole() && all.rejected == all.done) {
    throw Error{Error::Kind::kData, "no usable image",
                fmt::format("{}: all {} were rejected", printable(options.dataset.string()), all.done),
                "look at the reasons above"};
  }
  const std::string rate =
      all.computed > 0 ? fmt::format(" ({:.1f} images/s)", static_cast<double>(all.done) / seconds) : "";
  const std::string from_taps =
      all.from_taps > 0 ? fmt::format("; {} rows from cached lower taps", all.from_taps) : "";
  fmt::print("{}{} images in {:.1f} s{} by {} processes: {}{}\n", prefix, all.done, seconds, rate,
             counts.size(), describe(results_of(all)), from_taps);
  print_cache(stage_one);
}

void run_extract(const ExtractOptions& options, const Session& session) {
  const ChosenShard chosen = choose_shard(options, session);
  const Shard& shard = chosen.shard;
  std::string prefix;
  if (!shard.is_whole()) {
    prefix = fmt::format("shard {}/{}: ", shard.index, shard.count);
    // A warning, because otherwise the user could take a part for the whole.
    if (!options.shard && session.leads()) {
      session.console.warn(
          fmt::format("extracts shard {}/{} of the dataset only, as {}; --shard none: all of it", shard.index,
                      shard.count, chosen.reason));
    }
  }
  // Each process that shares the work out works alone on its share.
  const Session own{session.console, session.threads};
  StageOne stage_one(load_weights(options.stage_one.network, options.stage_one.weights), options.taps,
                     options.stage_one, own);
  if (options.dry_run) {
    if (session.leads()) print_plan(options.dataset, 1, own, stage_one, options.views, shard);
    return;
  }
  if (session.processes != nullptr) return run_together(options, session, stage_one, shard, prefix);
  session.begin_pass(pass::kList);
  Manifest manifest = find_images(options.dataset, 1, options.stage_one.images, session.console);
  session.begin_pass(pass::kFeatures);
  const ExtractedDataset dataset = extract_dataset(std::move(manifest), options.dataset, options.stage_one,
                                                   session, stage_one, options.views, shard);
  fmt::print("{}{}\n", prefix, describe(dataset));
  print_cache(stage_one);
}

}  // namespace

Command extract_command() {
  return make_command<ExtractOptions>(
      {.name = "extract",
       .purpose = "Compute and cache the features of a dataset, train nothing",
       .together = Together::kShareWork},
      describe_extract, run_extract);
}

}  // namespace headstart
