// tests/head/cancellation_test.cpp
#include "head/cancellation.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <new>
#include <thread>

#include "head/insight/transferability.hpp"
#include "head/run_unless_cancelled.hpp"
#include "head/search/ridge.hpp"
#include "head/workers.hpp"

namespace headstart::test {
namespace {

// Requested from the `first`-th question on.
Cancellation requested_after(int first) {
  return Cancellation([first, asked = std::make_shared<std::atomic<int>>(0)] { return ++*asked >= first; });
}

TEST(CancellationTest, ThrowsOnceItIsRequested) {
  EXPECT_NO_THROW(Cancellation().check());
  EXPECT_FALSE(Cancellation().is_possible());
  const Cancellation cancellation = requested_after(3);
  EXPECT_TRUE(cancellation.is_possible());
  EXPECT_NO_THROW(cancellation.check());
  EXPECT_NO_THROW(cancellation.check());
  EXPECT_THROW(cancellation.check(), Cancelled);
}

TEST(CancellationTest, WorkersBeginNoFurtherTask) {
  for (const int threads : {1, 2}) {
    std::atomic<int> ran{0};
    Workers workers(threads, requested_after(6));
    EXPECT_THROW(workers.for_each(100, [&](std::size_t) { ++ran; }), Cancelled);
    EXPECT_LE(ran, 6 + threads);
  }
}

TEST(CancellationTest, ATaskThatLooksAtNothingIsLeft) {
  auto release = std::make_shared<std::promise<void>>();
  auto ended = std::make_shared<std::promise<void>>();
  const auto endless = [released = release->get_future().share(), ended] {
    released.wait();
    ended->set_value();
    return 1;
  };
  EXPECT_THROW(run_unless_cancelled(endless, requested_after(2)), Cancelled);
  EXPECT_EQ(ended->get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  release->set_value();
}

TEST(CancellationTest, ATaskThatEndsGivesWhatItWouldHaveGiven) {
  const auto never = Cancellation([] { return false; });
  for (const Cancellation& cancellation : {Cancellation(), never}) {
    EXPECT_EQ(run_unless_cancelled([] { return 7; }, cancellation), 7);
    EXPECT_THROW(run_unless_cancelled([]() -> int { throw std::bad_alloc(); }, cancellation), std::bad_alloc);
  }
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(run_unless_cancelled([] { return std::this_thread::get_id(); }, Cancellation()), here);
}

TEST(CancellationTest, DecompositionsEndAndTheirResultsDoNotDependOnIt) {
  Matrix features = Matrix::Zero(6, 3);
  features << 1, 2, 3, 3, 2, 1, 0, 1, 0, 2, 2, 2, 1, 0, 1, 4, 0, 2;
  const Matrix kernel = features * features.transpose();
  const std::vector<std::int32_t> labels{0, 1, 0, 1, 0, 1};
  const auto always = Cancellation([] { return true; });
  const auto never = Cancellation([] { return false; });
  const RidgeRegression ridge(kernel, labels, 2);
  const RidgeRegression watched(kernel, labels, 2, {.cancellation = never});
  EXPECT_EQ(ridge.leave_out(ridge.default_lambdas()).scores,
            watched.leave_out(watched.default_lambdas()).scores);
  EXPECT_EQ(log_maximum_evidence(kernel, labels, 2, 3, 1),
            log_maximum_evidence(kernel, labels, 2, 3, 1, never));
  EXPECT_THROW(static_cast<void>(log_maximum_evidence(kernel, labels, 2, 3, 1, always)), Cancelled);
  bool request = false;
  for (const bool by_columns : {false, true}) {
    request = false;
    const Cancellation asked([&request] { return request; });
    const RidgeRegression later =
        by_columns ? RidgeRegression(blocks_of(features), labels, 2, {.cancellation = asked})
                   : RidgeRegression(kernel, labels, 2, {.cancellation = asked});
    request = true;
    EXPECT_THROW(static_cast<void>(later.leave_out(later.default_lambdas())), Cancelled);
  }
}

}  // namespace
}  // namespace headstart::test
