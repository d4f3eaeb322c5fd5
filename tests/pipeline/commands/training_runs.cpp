// tests/pipeline/commands/training_runs.cpp
#include "tests/pipeline/commands/training_runs.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/pipeline/commands/sample_dataset.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

// history.csv without its last column, the seconds.
std::vector<std::vector<std::string>> history_of(const fs::path& out) {
  auto rows = read_csv(out / "history.csv");
  for (auto& row : rows) row.pop_back();
  return rows;
}

}  // namespace

std::vector<std::string> shared_arguments(const fs::path& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = shared_run().arguments;
  arguments[3] = out.string();
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json metrics_of(const fs::path& out) {
  return nlohmann::json::parse(read_text((out / "metrics.json").string()));
}

void expect_same_bytes(const fs::path& a, const fs::path& b) {
  for (const char* name : {"model.h5", "predictions.csv", "images.csv"}) {
    ASSERT_TRUE(fs::exists(a / name)) << a / name;
    EXPECT_TRUE(read_text((a / name).string()) == read_text((b / name).string())) << name;
  }
  EXPECT_EQ(history_of(a), history_of(b));
}

void wait_until_written(const fs::path& file) {
  std::error_code error;
  const auto before = fs::last_write_time(file, error);
  for (int i = 0; i < 20'000; ++i) {
    if (fs::exists(file) && fs::last_write_time(file, error) != before) break;
    usleep(1000);
  }
}

ProcessOptions after_a_checkpoint(const fs::path& file, int signal_number, useconds_t microseconds) {
  ProcessOptions options;
  options.while_running = [=](int pid) {
    wait_until_written(file);
    usleep(microseconds);
    kill(pid, signal_number);
  };
  return options;
}

int occurrences(const std::string& text, const std::string& word) {
  int count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size()))
    ++count;
  return count;
}

}  // namespace headstart::test
