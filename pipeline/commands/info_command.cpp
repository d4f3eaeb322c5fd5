// pipeline/commands/info_command.cpp: headstart info: engines found and chosen, versions, weights, cache
// location; or what an ONNX file is.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "features/blocks/registry.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/engines/registry.hpp"
#include "features/network/graph_preprocessing.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights_preprocessing.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/commands/graph_description.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

struct InfoOptions {
  std::filesystem::path cache;
  std::string network = vgg16().name;  // or the path of an ONNX file
  std::filesystem::path weights;
  std::optional<Preprocessing> preprocessing;
  std::optional<int> input_size;
  bool all_taps = false;
};

bool is_graph(const std::string& network) { return find_network(network) == nullptr; }

/// A known network, or a file. What is in the file is seen when it is read.
std::optional<std::string> parse_network(const std::string& word) {
  std::error_code ignored;
  const bool known = !is_graph(word) || std::filesystem::exists(word, ignored) || word.ends_with(".onnx");
  return known ? std::optional(word) : std::nullopt;
}

void describe_info(OptionList& list, InfoOptions& options) {
  static const std::string kNeeded =
      "one of " + preprocessing_names() + ", or numbers like mean=127,std=128,scale=1,order=rgb";
  const auto as_it_is = [](const std::string& text) { return text; };
  describe_cache_folder(list, options.cache);
  list.text(
      {.name = "network",
       .help = "A network that headstart knows, or an ONNX file to look at; other commands take only the "
               "known ones yet",
       .value = "vgg16|vgg19|FILE.onnx"},
      options.network, parse_network, as_it_is, "vgg16, vgg19 or an ONNX file");
  describe_weights(list, options.weights);
  list.start_group("Of an ONNX file");
  list.text(
      {.name = "preprocess",
       .help = "How pixels become its input: imagenet, caffe, tf, unit, clip ..., or numbers like "
               "mean=127,std=128,scale=1,order=rgb [what the file, or a .json file beside it, says]",
       .value = "NAME|mean=..,std=..,scale=..,order=.."},
      options.preprocessing,
      [](const std::string& word) -> std::optional<std::optional<Preprocessing>> {
        if (const auto found = parse_preprocessing(word)) return std::make_optional(found);
        return std::nullopt;
      },
      [](const std::optional<Preprocessing>& preprocessing) {
        return preprocessing ? preprocessing_statement(*preprocessing) : "";
      },
      kNeeded);
  list({.name = "input-size",
        .help = "Height and width of its input [what it was made for, else 224]",
        .low = kMinInputSize,
        .high = kMaxInputSize},
       options.input_size);
  list({.name = "taps", .help = "List every value that can be a tap"}, options.all_taps);
  list.start_group("Options");
}

void describe_graph(const InfoOptions& options) {
  const std::filesystem::path file(options.network);
  const auto network = read_graph_network(file);
  GraphQuestion question{.input_size = options.input_size, .all_taps = options.all_taps, .preprocessing = {}};
  if (options.preprocessing) {
    question.preprocessing = {*options.preprocessing, "--preprocess"};
  } else {
    question.preprocessing = stated_preprocessing(*network, file);
  }
  fmt::print("{}", describe(*network, question));
}

void run_info(const InfoOptions& options, const Session& session) {
  if (is_graph(options.network)) return describe_graph(options);
  const NetworkWeights weights = load_weights(*find_network(options.network), options.weights);
  const auto cache = options.cache.empty() ? default_cache_folder() : options.cache;
  const std::string source = options.weights.empty() ? std::string("embedded (VGG16, ImageNet)")
                                                     : printable(options.weights.string());
  std::string engines;
  for (const EngineAvailability& engine : list_engines()) {
    engines += fmt::format("  {:<18}{}\n", to_string(engine.kind),
                           (engine.available ? "" : "not available: ") + engine.detail);
  }
  std::string backprops;
  for (const BackpropAvailability& path : list_backprops()) {
    backprops += fmt::format("  {:<18}{}\n", to_string(path.backprop),
                             (path.available ? "" : "not available: ") + path.detail);
  }
  fmt::print(
      "headstart {}\nthreads        {}\ncache          {}\nnetwork        {}\nweights        {}\n  format    "
      "   {}\n  identity  "
      "   {}\n"
      "  preprocessing {}: {} ({})\n"
      "engines        auto chooses {}\n{}finetune --backprop\n{}MPI            {}\n",
      HEADSTART_VERSION, session.threads, cache.string(), weights.network.title, source,
      printable(weights.format), weights.identity.hex(), to_string(weights.preprocessing),
      in_words(weights.preprocessing), weights.preprocessing_reason, to_string(choose_engine()), engines,
      backprops, describe_mpi());
}

}  // namespace

Command info_command() {
  return make_command<InfoOptions>(
      {.name = "info",
       .purpose = "Engines found and chosen, versions, weights, cache location; or what an ONNX file is"},
      describe_info, run_info);
}

}  // namespace headstart
