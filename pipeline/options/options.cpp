// pipeline/options/options.cpp: the options of the commands that train nothing. training_options.cpp has the
// others.
#include "pipeline/options/options.hpp"

#include "pipeline/options/option.hpp"
#include "pipeline/options/quantities.hpp"

namespace headstart {
namespace {

constexpr std::string_view kViewsHelp =
    "Random crops and flips of each image whose predictions are averaged with its own";

void describe_model(OptionList& list, std::filesystem::path& model) {
  list({.name = "model", .help = "model.h5 of a training run", .positional = true, .required = true}, model);
}

/// An option whose number has a unit.
template <typename T>
void describe_quantity(OptionList& list, const OptionFacts& facts, std::optional<T>& target,
                       std::optional<T> (*parse)(std::string_view)) {
  list.add(
      facts, OptionKind::kText, {},
      [&target, parse, facts](const std::vector<std::string>& words) {
        target = parse(words.back());
        if (!target)
          throw WrongValue(fmt::format("is '{}', needed something like {}", words.back(), facts.value));
      },
      []() -> std::optional<ConfigValue> { return std::nullopt; });
}

}  // namespace

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

void describe_evaluate(OptionList& list, EvaluateOptions& options) {
  describe_model(list, options.model);
  describe_dataset(list, options.dataset, options.stage_one.images);
  list({.name = "json", .help = "Write the metrics to this file as well", .value = "FILE"}, options.json);
  describe_views(list, options.views, kViewsHelp);
  describe_engine(list, options.stage_one);
  describe_admission(list, options.stage_one.images);
}

void describe_predict(OptionList& list, PredictOptions& options) {
  describe_model(list, options.model);
  list.add(
      {.name = "path",
       .help = "Images, folders of images or archives; - reads a list of them from stdin, one a line",
       .positional = true,
       .required = true},
      OptionKind::kMany, {}, [&options](const std::vector<std::string>& words) { options.paths = words; },
      []() -> std::optional<ConfigValue> { return std::nullopt; });
  list({.name = "out", .help = "Write to this file instead of stdout", .value = "FILE", .letter = "o"},
       options.out);
  list({.name = "format", .help = "CSV with a header, or one JSON object a line"}, options.format);
  list({.name = "top-k",
        .help = "So many classes for each image, the most probable first",
        .low = 1,
        .high = 1e6},
       options.top_k);
  list({.name = "threshold",
        .help = "Below this probability the image is labelled 'unknown', or what --unknown says",
        .high = 1},
       options.threshold);
  list({.name = "unknown",
        .help = "The label of an image whose probability is below --threshold",
        .value = "NAME"},
       options.unknown);
  list({.name = "explain",
        .help = "Write a PNG for each image into this folder: which parts led to its class (Grad-CAM)",
        .value = "DIR"},
       options.explanations);
  describe_views(list, options.views, kViewsHelp);
  describe_engine(list, options.stage_one);
  describe_admission(list, options.stage_one.images);
}

void describe_export(OptionList& list, ExportOptions& options) {
  describe_model(list, options.model);
  list({.name = "to",
        .help = "ONNX, uint8 pixels to probabilities; or Keras, float pixels to probabilities",
        .required = true},
       options.format);
  list({.name = "out",
        .help = "The file to write; an existing one is replaced",
        .value = "FILE",
        .letter = "o",
        .required = true},
       options.out);
}

void describe_cache(OptionList& list, CacheOptions& options) { describe_cache_folder(list, options.cache); }

void describe_cache_prune(OptionList& list, CachePruneOptions& options) {
  describe_cache(list, options);
  describe_quantity(
      list, {.name = "older-than", .help = "Those written so long ago: s, m, h, d or w", .value = "30d"},
      options.prune.older_than_s, parse_duration);
  list({.name = "fingerprint", .help = "Those of this fingerprint, as cache list shows it", .value = "HEX"},
       options.prune.fingerprint);
  describe_quantity(list,
                    {.name = "max-size", .help = "The oldest, until the rest is no larger", .value = "20GB"},
                    options.prune.max_bytes, parse_bytes);
  list({.name = "dry-run", .help = "Only say what would be removed", .in_config = false},
       options.prune.dry_run);
}

void describe_info(OptionList& list, InfoOptions& options) {
  describe_cache_folder(list, options.cache);
  describe_network(list, options.network, options.weights);
}

void describe_general(OptionList& list, GeneralOptions& options) {
  list.start_group("General");
  list({.name = "threads", .help = "Threads of every pool", .low = 1, .high = 4096, .harmless = true},
       options.threads);
  list({.name = "quiet", .help = "Only warnings and errors on stderr", .in_config = false}, options.quiet);
  list({.name = "verbose",
        .help = "Every reject and every decoder warning on stderr, and at the end where the time went",
        .excluded_by = "quiet",
        .in_config = false},
       options.verbose);
  list.start_group("Options");
}

}  // namespace headstart
