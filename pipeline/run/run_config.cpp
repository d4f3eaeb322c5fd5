// pipeline/run/run_config.cpp
#include "pipeline/run/run_config.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "data/error.hpp"
#include "pipeline/options/general_options.hpp"
#include "pipeline/options/option.hpp"

namespace headstart {
namespace {

template <typename Options>
ConfigSection section_of_run(const char* command, Options options, void (*describe)(OptionList&, Options&),
                             const Session& session) {
  GeneralOptions general;
  general.threads = session.threads;
  OptionList list;
  describe(list, options);
  describe_general(list, general);
  return section_of(command, list);
}

template <typename Options>
RunIdentity identity_of_run(const RunIdentity& facts, Options& options,
                            void (*describe)(OptionList&, Options&)) {
  OptionList list;
  describe(list, options);
  return identity_of(facts, list);
}

/// After a search the options are those of a training without one.
TrainOptions without_search(TrainOptions options) {
  options.sweep.reset();
  return options;
}

}  // namespace

std::string config_of(const TrainOptions& options, const TrainOptions* asked, const Session& session) {
  const ConfigSection train = section_of_run("train", without_search(options), describe_train, session);
  if (asked == nullptr) {
    return config_text("headstart train --config FILE repeats this run, with FILE the path of this file.",
                       std::array{train});
  }
  return config_text(
      "headstart sweep --config FILE repeats the search and the training, with FILE the path of this file.\n"
      "headstart train --config FILE repeats the training alone.",
      std::array{section_of_run("sweep", *asked, describe_sweep, session), train});
}

std::string config_of(const FinetuneOptions& options, const Session& session) {
  return config_text("headstart finetune --config FILE repeats this run, with FILE the path of this file.",
                     std::array{section_of_run("finetune", options, describe_finetune, session)});
}

RunIdentity identity_of(const RunIdentity& facts, const OptionList& options) {
  RunIdentity identity;  // options first, so that an error names an option that the user has changed
  for (const Option& option : options.options()) {
    const Option* const excluding = options.find(option.facts.excluded_by);
    const bool is_unused = options.is_excluded(option) && !excluding->facts.harmless;
    if (option.facts.harmless || !option.facts.in_config || is_unused) continue;
    const std::string_view name = option.facts.in_0_1_0.empty() ? option.facts.name : option.facts.in_0_1_0;
    if (const std::optional<ConfigValue> value = option.get())
      identity.emplace_back(name, printable(toml_of(*value)));
  }
  identity.insert(identity.end(), facts.begin(), facts.end());
  return identity;
}

RunIdentity identity_of(const RunIdentity& facts, TrainOptions options) {
  options.sweep.reset();
  return identity_of_run(facts, options, describe_train);
}

RunIdentity identity_of(const RunIdentity& facts, FinetuneOptions options) {
  return identity_of_run(facts, options, describe_finetune);
}

}  // namespace headstart
