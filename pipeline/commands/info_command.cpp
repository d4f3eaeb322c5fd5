// pipeline/commands/info_command.cpp: headstart info: engines found and chosen, versions, weights, cache
// location.
#include <fmt/format.h>

#include "features/blocks/registry.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/engines/registry.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

struct InfoOptions {
  std::filesystem::path cache;
  Network network = vgg16();
  std::filesystem::path weights;
};

void describe_info(OptionList& list, InfoOptions& options) {
  describe_cache_folder(list, options.cache);
  describe_network(list, options.network, options.weights);
}

void run_info(const InfoOptions& options, const Session& session) {
  const NetworkWeights weights = load_weights(options.network, options.weights);
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
      {.name = "info", .purpose = "Engines found and chosen, versions, weights, cache location"},
      describe_info, run_info);
}

}  // namespace headstart
