// features/extraction/worker_thread.hpp: a thread that does one task at a time for another thread, which can
// work on meanwhile. It is always the same thread, because OpenMP starts a new team for each thread that asks
// for one.
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
  /// Waits for an unfinished task, and ignores its exception.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// Begins `task`. Call wait() for the task before.
  void start(std::function<void()> task);
  /// Returns when the task is done, or at once if there is none. @throws the exception of the task
  void wait();

 private:
  void work();

  std::mutex mutex_;  // protects all members below
  std::condition_variable changed_;
  std::function<void()> task_;  // empty: nothing to do
  std::exception_ptr failure_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace headstart
