// tests/pipeline/commands/sweep_test.cpp: what ends a sweep keeps its meaning in every phase of it, and what
// it decides is what --auto refuses.
#include "pipeline/commands/sweep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "head/random.hpp"
#include "head/representation/dense_representation.hpp"
#include "pipeline/options/option.hpp"

namespace headstart {
namespace {

constexpr int kSweptImages = 24;
constexpr std::int64_t kChannels = 6;

/// Images whose class is the channel that is large; every one trains.
struct SweptImages {
  SparseRows maps;
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> rows;
  ExtractedDataset dataset;
  TrainOptions options;

  SweptImages() {
    Random random(5);
    maps.columns = 2 * kChannels;
    dataset.manifest.classes = {"a", "b", "c"};
    for (int i = 0; i < kSweptImages; ++i) {
      const std::int32_t label = i % 3;
      for (std::int32_t column = 0; column < maps.columns; ++column) {
        maps.indices.push_back(column);
        maps.values.push_back(random.uniform() + (column % kChannels == label ? 1.0F : 0.0F));
      }
      maps.indptr.push_back(static_cast<std::int64_t>(maps.values.size()));
      labels.push_back(label);
      rows.push_back(i);
      Sample& sample = dataset.manifest.samples.emplace_back();
      sample.path = std::to_string(i);
      sample.label = label;
      dataset.used.push_back(static_cast<std::size_t>(i));
      dataset.content.emplace_back(sha256(std::to_string(i)));
    }
    options.sweep.emplace();
    options.sweep->space = {{Pooling::kMaximum}, {Transform::kUnit}, {{}}, {1.0}, {1e-4}};
    options.sweep->folds = 3;
    options.sweep->rounds = {2, 4};
    options.sweep->nested = true;
    options.sweep->learning_curve = true;
  }
  [[nodiscard]] Sweep run(const Cancellation& cancellation = {}) const {
    Console console(Verbosity::kSilent);
    SweepRows swept;
    swept.flattened.append(maps.view());
    for (const Pooling pooling : {Pooling::kAverage, Pooling::kMaximum}) {
      DenseRows& pooled = swept.pooled.emplace(pooling, DenseRows(maps.rows(), kChannels)).first->second;
      pool_dense(maps.view(), kChannels, pooling, 1, pooled.values());
    }
    return run_sweep({swept, labels, rows, {}, {}}, dataset, options, std::int64_t{1} << 30, cancellation,
                     Session{console, 1});
  }
};

/// The one that comes out of a sweep in which the check with that number, from 1, fails so; none if there are
/// fewer.
template <typename Failure>
std::optional<std::string> failure_at(const SweptImages& images, int check, const Failure& failure) {
  try {
    static_cast<void>(
        images.run(Cancellation([&, left = std::make_shared<std::atomic<int>>(check)]() -> bool {
          if (--*left == 0) throw failure;
          return false;
        })));
  } catch (const Failure& caught) {
    return caught.what();
  }
  return std::nullopt;
}

TEST(RunSweep, ErrorsKeepTheirTextAndExitCodeInEveryPhase) {
  const SweptImages images;
  const Error lost(Error::Kind::kData, "rows are gone", "segment 7", "mend the disk");
  int failures = 0;
  for (int check = 1;; check += 1 + check / 4, ++failures) {
    const std::optional<std::string> message = failure_at(images, check, lost);
    if (!message) break;
    ASSERT_EQ(*message, lost.what());
    ASSERT_EQ(failure_at(images, check, std::bad_alloc()), std::bad_alloc().what());
    ASSERT_EQ(failure_at(images, check, std::runtime_error("MPI_Bcast failed")), "MPI_Bcast failed");
  }
  EXPECT_GE(failures, 10) << "so many phases were met";
}

// A group for each class: without its group, no image of its class is left to learn from.
TEST(RunSweep, RidgeLeavesTheImagesOfAGroupOutTogether) {
  SweptImages images;
  images.options.sweep->nested = false;
  images.options.sweep->learning_curve = false;
  EXPECT_GT(images.run().ridge.front().accuracy, 0.8);
  for (Sample& sample : images.dataset.manifest.samples) sample.group = std::to_string(sample.label);
  EXPECT_EQ(images.run().ridge.front().accuracy, 0.0);
}

TEST(RunSweep, EndsInEveryPhaseWhenItIsCancelled) {
  const SweptImages images;
  int endings = 0;
  for (int check = 1;; check += 1 + check / 4, ++endings) {
    auto left = std::make_shared<std::atomic<int>>(check);
    try {
      static_cast<void>(images.run(Cancellation([left] { return --*left <= 0; })));
      break;
    } catch (const Cancelled&) {
      EXPECT_GE(*left, -1) << "a request was passed over";
    }
  }
  EXPECT_GE(endings, 10);
}

TEST(ChosenOptions, AreThoseThatAreDescribedAsSearched) {
  const SweptImages images;
  TrainOptions chosen = chosen_options(images.run(), 2.0, images.options);
  TrainOptions asked = images.options;
  EXPECT_EQ(chosen.rate, 1.0);
  EXPECT_EQ(chosen.training.learning_rate, 0.5);
  OptionList before;
  OptionList after;
  describe_train(before, asked);
  describe_train(after, chosen);
  std::set<std::string_view> changed;
  for (std::size_t i = 0; i < before.options().size(); ++i) {
    const Option& option = before.options()[i];
    if (option.get() != after.options()[i].get()) {
      EXPECT_TRUE(option.facts.searched) << option.facts.name;
      changed.insert(option.facts.name);
    }
  }
  EXPECT_TRUE(changed.contains("pooling") && changed.contains("transform") && changed.contains("hidden"));
}

}  // namespace
}  // namespace headstart
