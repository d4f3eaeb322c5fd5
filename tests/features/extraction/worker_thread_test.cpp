// tests/features/extraction/worker_thread_test.cpp
#include "features/extraction/worker_thread.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace headstart {
namespace {

TEST(WorkerThread, DoesOneTaskAfterTheOtherOnOneThread) {
  WorkerThread worker;
  worker.wait();  // there is none yet
  std::vector<int> done;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    worker.start([&, i] {
      done.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
    worker.wait();
    ASSERT_EQ(done.size(), static_cast<std::size_t>(i) + 1);
    EXPECT_EQ(done.back(), i);
  }
  EXPECT_EQ(std::vector<std::thread::id>(100, threads.front()), threads);
  EXPECT_NE(threads.front(), std::this_thread::get_id());
}

TEST(WorkerThread, ThrowsOnceWhatATaskThrewAndGoesOn) {
  WorkerThread worker;
  worker.start([] { throw std::runtime_error("task"); });
  EXPECT_THROW(worker.wait(), std::runtime_error);
  EXPECT_NO_THROW(worker.wait());
  bool done = false;
  worker.start([&] { done = true; });
  worker.wait();
  EXPECT_TRUE(done);
}

TEST(WorkerThread, EndsWithATaskThatNobodyWaitedFor) {
  bool done = false;
  {
    WorkerThread worker;
    worker.start([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      done = true;
    });
  }
  EXPECT_TRUE(done);
  WorkerThread failing;
  failing.start([] { throw std::runtime_error("nobody hears this"); });
}

}  // namespace
}  // namespace headstart
