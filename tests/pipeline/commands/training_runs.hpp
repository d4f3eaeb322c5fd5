// tests/pipeline/commands/training_runs.hpp: variations of the shared training run, what two runs must agree
// in, and the moment to disturb one.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace headstart::test {

/// Arguments of shared_run() with another output folder, and more options.
[[nodiscard]] std::vector<std::string> shared_arguments(const std::filesystem::path& out,
                                                        const std::vector<std::string>& more = {});

[[nodiscard]] nlohmann::json metrics_of(const std::filesystem::path& out);

/// Expects the same model.h5, predictions.csv and images.csv, and the same history.csv but for the seconds.
void expect_same_bytes(const std::filesystem::path& a, const std::filesystem::path& b);

/// Returns when `file` has been written since the call; after 20 seconds at the latest.
void wait_until_written(const std::filesystem::path& file);

/// Sends `signal_number` to the process so long after its first new checkpoint.
[[nodiscard]] ProcessOptions after_a_checkpoint(const std::filesystem::path& file, int signal_number,
                                                useconds_t microseconds);

/// How often `word` is in `text`.
[[nodiscard]] int occurrences(const std::string& text, const std::string& word);

}  // namespace headstart::test
