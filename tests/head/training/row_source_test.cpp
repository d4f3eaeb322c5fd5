// tests/head/training/row_source_test.cpp: training on rows that are read a window at a time.
#include "head/training/row_source.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/head/training/training_example.hpp"

namespace headstart::test {
namespace {

// An example's rows as a source, which remembers what was asked of it.
class Source {
 public:
  Source(const TrainingExample& example, std::size_t window, int chunk_rows) : example_(example) {
    for (std::size_t row = 0; row < example.rows.size(); ++row)
      chunks_.push_back(static_cast<std::int32_t>(row) / chunk_rows);
    source_ = {example.matrix.columns, chunks_, window,
               [this](std::span<const RowIndex> rows) { return read(rows); }};
  }

  [[nodiscard]] TrainingData data() const {
    TrainingData data = example_.data();
    data.features = {};
    data.source = &source_;
    return data;
  }
  std::size_t most_rows = 0;  // in one read
  int reads = 0;
  int fail_at = -1;  // which read
  std::set<std::thread::id> threads;

 private:
  SparseRows read(std::span<const RowIndex> rows) {
    const std::lock_guard lock(mutex_);
    if (reads++ == fail_at) throw std::runtime_error("a segment is gone");
    most_rows = std::max(most_rows, rows.size());
    threads.insert(std::this_thread::get_id());
    const SparseRowsView all = example_.matrix.view();
    SparseRows result;
    result.columns = all.columns;
    for (const RowIndex row : rows) {
      const auto indices = all.row_indices(row);
      const auto values = all.row_values(row);
      result.indices.insert(result.indices.end(), indices.begin(), indices.end());
      result.values.insert(result.values.end(), values.begin(), values.end());
      result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
    }
    return result;
  }

  const TrainingExample& example_;
  std::vector<std::int32_t> chunks_;
  RowSource source_;
  std::mutex mutex_;
};

RC_GTEST_PROP(RowSource, AWindowForAllRowsGivesTheBitsOfRowsInMemory, ()) {
  const TrainingExample example(*rc::gen::inRange(1, 400), *rc::gen::inRange<std::size_t>(8, 60));
  TrainingOptions options = small_training(Solver::kPrimal);
  options.epochs = 3;
  options.hidden = *rc::gen::element(std::vector<int>{}, std::vector<int>{70, 5});
  options.batch = *rc::gen::inRange(1, 50);
  options.dropout = options.hidden.empty() ? 0.0 : *rc::gen::element(0.0, 0.3);
  TrainingData in_memory = example.data();
  Source source(example, example.rows.size(), *rc::gen::inRange(1, 20));
  TrainingData read = source.data();
  if (*rc::gen::arbitrary<bool>()) in_memory.validation = read.validation = {};
  RC_ASSERT(same(train(read, options), train(in_memory, options)));
}

// The same steps as in memory, where no order is drawn: windows change what is in memory, and rounding where
// they cut a block of steps.
RC_GTEST_PROP(RowSource, WindowsChangeNothingButTheOrder, ()) {
  const TrainingExample example(*rc::gen::inRange(1, 400), *rc::gen::inRange<std::size_t>(8, 60));
  TrainingOptions options = small_training(Solver::kPrimal);
  options.epochs = 3;
  options.hidden = {};
  options.learning_rate = 0.01;
  options.shuffle = false;
  options.batch = *rc::gen::inRange(1, 12);
  const auto window = *rc::gen::inRange<std::size_t>(1, 60);
  Source source(example, window, *rc::gen::inRange(1, 20));
  const TrainingResult read = train(source.data(), options);
  const TrainingResult in_memory = train(example.data(), options);
  for (std::size_t e = 0; e < 3; ++e) {
    RC_ASSERT(std::abs(read.history[e].loss - in_memory.history[e].loss) < 1e-5 * in_memory.history[e].loss);
    RC_ASSERT(std::abs(*read.history[e].val_loss - *in_memory.history[e].val_loss) <
              1e-5 * *in_memory.history[e].val_loss);
  }
  RC_ASSERT(source.most_rows <= std::max(window, static_cast<std::size_t>(options.batch)));
}

TEST(RowSource, SmallWindowsTrainAsWell) {
  const TrainingExample example(300, 200);
  TrainingOptions options = small_training(Solver::kPrimal);
  options.learning_rate = 0.02;
  options.epochs = 20;
  Source source(example, 40, 13);
  const TrainingResult read = train(source.data(), options);
  const TrainingResult in_memory = train(example.data(), options);
  EXPECT_FALSE(same(read, in_memory));  // another order
  for (const TrainingResult& result : {read, in_memory})
    EXPECT_LT(result.history.back().loss, 0.5 * result.history.front().loss);
}

TEST(RowSource, ReadsEachWindowOnceAndMostOfThemAhead) {
  const TrainingExample example(300, 80);  // 60 training rows, 20 for validation
  TrainingOptions options = small_training(Solver::kPrimal);
  options.batch = 5;
  options.epochs = 4;
  Source source(example, 20, 7);
  static_cast<void>(train(source.data(), options));
  EXPECT_EQ(source.reads, 4 * (3 + 1));
  EXPECT_GT(source.threads.size(), 1U);  // other threads than the one that trains
}

TEST(RowSource, AStoppedRunGoesOnToTheSameBits) {
  const TrainingExample example(300, 100);
  TrainingOptions options = small_training(Solver::kPrimal);
  options.early_stopping = 4;
  const TrainingResult whole = train(Source(example, 21, 9).data(), options);
  int resumed = 0;
  TrainingHooks hooks;
  hooks.on_state = [&](const TrainingState& state) {
    ++resumed;
    Source again(example, 21, 9);
    EXPECT_TRUE(same(train(again.data(), options, {}, &state), whole));
  };
  Source source(example, 21, 9);
  static_cast<void>(train(source.data(), options, hooks));
  EXPECT_GT(resumed, 2);
}

TEST(RowSource, AFailedReadComesOut) {
  const TrainingExample example(300, 100);
  for (int fail_at = 0; fail_at < 6; ++fail_at) {
    Source source(example, 21, 9);
    source.fail_at = fail_at;
    EXPECT_THROW(static_cast<void>(train(source.data(), small_training(Solver::kPrimal))),
                 std::runtime_error);
  }
}

TEST(RowSource, AutoIsPrimalAndGramIsRefused) {
  const TrainingExample example;
  Source source(example, 10, 3);
  EXPECT_EQ(train(source.data(), small_training(Solver::kAuto)).solver, Solver::kPrimal);
  EXPECT_EQ(train(example.data(), small_training(Solver::kGram)).solver, Solver::kGram);
  EXPECT_THROW(static_cast<void>(train(source.data(), small_training(Solver::kGram))), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
