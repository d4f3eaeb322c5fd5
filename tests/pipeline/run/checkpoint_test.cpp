// tests/pipeline/run/checkpoint_test.cpp: a state survives the file bit for bit; a file that is not whole is
// refused.
#include "pipeline/run/checkpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "data/sha256.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::read_text;
using test::ScratchFolder;

constexpr std::uint64_t kLimit = 1 << 20;

// A state with what is awkward to write: denormals, negative zero, no bias to the first kernel, empty arrays.
struct Example {
  std::vector<EpochResult> history{{0, 1.0 / 3.0, 0.1, 2.0 / 7.0, 0.5, 1e-3, 0.25},
                                   {1, 5e-324, -0.0, std::nullopt, std::nullopt, 0.1, 1e300}};
  std::vector<Dense> layers{{Matrix(), RowVector::Constant(3, 0.1F)},
                            {Matrix::Constant(3, 2, 1e-42F), RowVector::Constant(2, -0.0F)}};
  std::vector<Dense> velocities{{Matrix(), RowVector::Constant(3, 7.0F)},
                                {Matrix::Constant(3, 2, 0.7F), RowVector::Constant(2, 3.0F)}};
  std::vector<Dense> best = layers;
  std::vector<float> kernel = std::vector<float>(37, 0.3F);
  std::vector<float> velocity{1.0F, -2.0F};

  [[nodiscard]] TrainingState state() const {
    return {history, layers, velocities, best, {{0.1, 1e-310, -0.0}, {kernel, {}, velocity}}};
  }
};

const RunIdentity kIdentity{{"version", "1"}, {"name", "a \"quoted\" value"}};

std::string written(const ScratchFolder& scratch) {
  write_checkpoint(scratch / "checkpoint", kIdentity, Solver::kGram, Example().state());
  return read_text((scratch / "checkpoint").string());
}

std::variant<Checkpoint, Reject> read_back(const ScratchFolder& scratch, const std::string& bytes,
                                           std::uint64_t limit = kLimit) {
  write_file(scratch / "copy", bytes);
  return read_checkpoint(scratch / "copy", limit);
}

template <typename T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

bool same_bits(std::span<const Dense> a, std::span<const Dense> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dense& x, const Dense& y) {
    const auto floats = [](const auto& m) {
      return std::span<const float>(m.data(), static_cast<std::size_t>(m.size()));
    };
    return same_bits<float>(floats(x.kernel), floats(y.kernel)) &&
           same_bits<float>(floats(x.bias), floats(y.bias));
  });
}

TEST(CheckpointTest, EveryBitComesBack) {
  const ScratchFolder scratch;
  auto read = read_back(scratch, written(scratch));
  ASSERT_TRUE(std::holds_alternative<Checkpoint>(read)) << std::get<Reject>(read).reason;
  const Checkpoint moved = std::move(std::get<Checkpoint>(read));
  EXPECT_EQ(moved.identity, kIdentity);
  EXPECT_EQ(moved.solver, Solver::kGram);
  EXPECT_EQ(moved.epochs(), 2U);
  const Example example;
  const TrainingState expected = example.state();
  const TrainingState found = moved.state();
  ASSERT_EQ(found.history.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const EpochResult& a = found.history[i];
    const EpochResult& b = expected.history[i];
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.val_loss, b.val_loss);
    EXPECT_EQ(a.val_accuracy, b.val_accuracy);
    const std::vector<double> found_numbers{a.loss, a.accuracy, a.learning_rate, a.seconds};
    const std::vector<double> numbers{b.loss, b.accuracy, b.learning_rate, b.seconds};
    EXPECT_TRUE(same_bits<double>(found_numbers, numbers)) << i;
  }
  EXPECT_TRUE(same_bits(found.layers, expected.layers));
  EXPECT_TRUE(same_bits(found.velocities, expected.velocities));
  EXPECT_TRUE(same_bits(found.best, expected.best));
  EXPECT_TRUE(same_bits<double>(found.first.numbers, expected.first.numbers));
  ASSERT_EQ(found.first.arrays.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(same_bits<float>(found.first.arrays[i], expected.first.arrays[i])) << i;
}

TEST(CheckpointTest, AFlippedBitAnywhereIsFound) {
  const ScratchFolder scratch;
  const std::string bytes = written(scratch);
  for (std::size_t i = 0; i < bytes.size(); i += 29) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, flipped))) << i;
  }
}

TEST(CheckpointTest, ACutOrLengthenedOrLargeFileIsRefused) {
  const ScratchFolder scratch;
  const std::string bytes = written(scratch);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{24}, std::size_t{63}, bytes.size() - 1})
    EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, bytes.substr(0, size)))) << size;
  EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, bytes + bytes)));
  EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, bytes, bytes.size() - 1)));
  EXPECT_TRUE(std::holds_alternative<Checkpoint>(read_back(scratch, bytes, bytes.size())));
}

// Bytes with a digest that fits, as only somebody who means it writes them.
std::string signed_again(std::string bytes) {
  bytes.resize(bytes.size() - 32);
  const Sha256 digest = sha256(bytes);
  return bytes.append(reinterpret_cast<const char*>(digest.bytes.data()), 32);
}

TEST(CheckpointTest, LengthsThatLieAreRefusedThoughTheDigestFits) {
  const ScratchFolder scratch;
  const std::string bytes = written(scratch);
  ASSERT_EQ(signed_again(bytes), bytes);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = bytes;
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    return signed_again(changed);
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"[37,0,2]", "[99,0,2]"},
                                                                                 {"[37,0,2]", "[37,0,0]"},
                                                                                 {"[37,0,2]", "[-1,0,2]"},
                                                                                 {"[37,0,2]", "[37,0]"},
                                                                                 {"[3,2,2]", "[9,2,2]"},
                                                                                 {"\"gram\"", "\"auto\""},
                                                                                 {"\"best\"", "\"rest\""}}) {
    EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, with(from, to)))) << to;
  }
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{32}, std::uint64_t{1} << 40U,
                                     std::numeric_limits<std::uint64_t>::max() - 31}) {
    std::string changed = bytes;
    std::memcpy(changed.data() + 24, &length, sizeof length);
    EXPECT_TRUE(std::holds_alternative<Reject>(read_back(scratch, signed_again(changed)))) << length;
  }
}

TEST(CheckpointTest, ADifferenceIsNamedAndNumbersAreComparedAsNumbers) {
  const RunIdentity a{{"seed", "3"}, {"learning-rate", "0.001"}};
  EXPECT_EQ(difference(a, a), std::nullopt);
  EXPECT_EQ(difference(a, {{"seed", "3"}, {"learning-rate", "1e-3"}}), std::nullopt);
  EXPECT_EQ(difference(a, {{"seed", "4"}, {"learning-rate", "0.001"}}), "seed is 3 there, 4 here");
  EXPECT_EQ(difference(a, {{"seed", "3"}}), "learning-rate is 0.001 there, nothing here");
  EXPECT_EQ(difference({{"seed", "3"}}, a), "learning-rate is nothing there, 0.001 here");
}

}  // namespace
}  // namespace headstart
