// features/worker_thread.hpp: one thread that does one task at a time for another, which can do something
// else meanwhile. Always the same thread, because OpenMP starts a new team for each thread that asks for one.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace headstart {

class WorkerThread {
 public:
  WorkerThread();
  /// Waits for a task that is not done, and forgets what it throws.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// Begins `task`; the one before has to be waited for.
  void start(std::function<void()> task);
  /// Returns when the task is done, at once if there is none. @throws what it threw
  void wait();

 private:
  void work();

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::function<void()> task_;  // empty: nothing to do
  std::exception_ptr failure_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace headstart
