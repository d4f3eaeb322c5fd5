// pipeline/commands/commands.hpp: all commands. Each is a file of this folder.
#pragma once

#include <array>

#include "pipeline/commands/command.hpp"
#include "pipeline/options/training_options.hpp"

namespace headstart {

[[nodiscard]] Command train_command();
[[nodiscard]] Command sweep_command();
[[nodiscard]] Command finetune_command();
[[nodiscard]] Command extract_command();
[[nodiscard]] Command inspect_command();
[[nodiscard]] Command evaluate_command();
[[nodiscard]] Command predict_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command cache_list_command();
[[nodiscard]] Command cache_verify_command();
[[nodiscard]] Command cache_compact_command();
[[nodiscard]] Command cache_export_command();
[[nodiscard]] Command cache_prune_command();
[[nodiscard]] Command info_command();

/// In the order of --help.
inline constexpr std::array kCommands{train_command,        sweep_command,         finetune_command,
                                      extract_command,      inspect_command,       evaluate_command,
                                      predict_command,      export_command,        cache_list_command,
                                      cache_verify_command, cache_compact_command, cache_export_command,
                                      cache_prune_command,  info_command};

/// Trains a head, as `headstart train` does. finetune without a model begins with this, too.
/// @throws Error or Interrupted
void run_train(const TrainOptions& options, const Session& session);

}  // namespace headstart
