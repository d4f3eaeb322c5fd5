// pipeline/process/shared_work_mpi.cpp: a counter of the items that are given out, and a table with a row of
// numbers for each process. Both are in memory of rank 0, which the others reach with one-sided operations
// (MPI 3's remote memory access). Between the first and the last line nothing is collective, so no process
// waits for another. Surprise: "one-sided" does not mean that rank 0 may always sleep. Over shared memory or
// InfiniBand rank 0 may sleep. Over TCP the library answers only while rank 0 is inside an MPI call. So each
// process has a thread that makes an MPI call now and then. On rank 0, for which others wait, the thread does
// so every few milliseconds. The same thread reports once a second that the process lives. A process is lost
// if it was silent for kPatience when all others are done. A process is lost, for example, if it is killed
// and the launcher lets the others go on: mpirun --enable-recovery. A process without further work may die,
// too, hours before the last one is done. So each process reports once more when all are done.
#include "pipeline/process/shared_work_mpi.hpp"

#define OMPI_SKIP_MPICXX 1  // see processes_mpi.cpp
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "pipeline/process/mpi_error.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;
using Word = std::uint64_t;

constexpr std::chrono::milliseconds kAnswerEvery{2};   // on rank 0
constexpr std::chrono::milliseconds kAwakeEvery{100};  // on the others, for their own heartbeat
constexpr std::chrono::seconds kBeatEvery{1};
constexpr std::chrono::seconds kPatience{10};

/// The progress of a process towards its end, as a number that only grows.
enum class Stage : Word { kWorks, kHasFinished, kSawAllFinish };

/// The numbers of one process, in memory of rank 0.
struct Row {
  Word beats = 0;
  Word stage = 0;
  WorkCounts counts;
};
static_assert(sizeof(Row) % sizeof(Word) == 0 && std::is_trivially_copyable_v<Row>, "MPI moves words");
constexpr std::size_t kRowWords = sizeof(Row) / sizeof(Word);

std::vector<WorkCounts> counts_of(std::span<const Row> rows) {
  std::vector<WorkCounts> counts;
  for (const Row& row : rows) counts.push_back(row.counts);
  return counts;
}

/// The remote memory did not answer: rank 0 has ended.
class NoAnswer : public std::runtime_error {
 public:
  NoAnswer() : std::runtime_error("rank 0, which hands out the work, does not answer") {}
};

class MpiSharedWork final : public SharedWork {
 public:
  MpiSharedWork(Word items, std::function<void(std::span<const int>)> on_loss)
      : items_(items), on_loss_(std::move(on_loss)) {
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
    check_mpi(MPI_Comm_rank(world_, &rank_), "MPI_Comm_rank");
    int size = 0;
    check_mpi(MPI_Comm_size(world_, &size), "MPI_Comm_size");
    size_ = static_cast<std::size_t>(size);
    answer_.resize(size_);
    const std::size_t words = rank_ == 0 ? 1 + size_ * kRowWords : 0;
    Word* memory = nullptr;
    check_mpi(MPI_Win_allocate(static_cast<MPI_Aint>(words * sizeof(Word)), sizeof(Word), MPI_INFO_NULL,
                               world_, static_cast<void*>(&memory), &window_),
              "MPI_Win_allocate");
    MPI_Win_set_errhandler(window_, MPI_ERRORS_RETURN);
    std::fill_n(memory, words, Word{0});
    check_mpi(MPI_Barrier(world_), "MPI_Barrier");
    check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
    pulse_ = std::thread([this] { beat_until_told(); });
  }

  /// Without finish() the window stays, because freeing it is collective.
  ~MpiSharedWork() override { stop_pulse(); }
  MpiSharedWork(const MpiSharedWork&) = delete;
  MpiSharedWork& operator=(const MpiSharedWork&) = delete;

  [[nodiscard]] WorkRange take(std::uint64_t most) override {
    added_ = most;
    MPI_Request request = MPI_REQUEST_NULL;
    {
      const std::lock_guard lock(mpi_);
      check_mpi(MPI_Rget_accumulate(&added_, 1, MPI_UINT64_T, &begin_, 1, MPI_UINT64_T, 0, 0, 1, MPI_UINT64_T,
                                    MPI_SUM, window_, &request),
                "MPI_Rget_accumulate");
    }
    wait_for(request);
    return {std::min(begin_, items_), std::min(begin_ + most, items_)};
  }

  void report(const WorkCounts& own) override {
    const std::lock_guard lock(row_lock_);
    row_.counts = own;
  }

  [[nodiscard]] std::vector<WorkCounts> progress() const override {
    const std::lock_guard lock(row_lock_);
    return progress_;
  }

  [[nodiscard]] End finish() override {
    End end;
    std::vector<Row> table;
    try {
      end.lost = reach(Stage::kHasFinished, table);
      if (end.lost.empty()) end.lost = reach(Stage::kSawAllFinish, table);
      // The others come to the same end a moment later, and need rank 0 until then.
      if (!end.lost.empty() && rank_ == 0) std::this_thread::sleep_for(2 * kBeatEvery);
    } catch (const NoAnswer&) {
      end.lost = {0};
    }
    stop_pulse();
    end.counts = counts_of(table);
    if (!end.lost.empty()) {
      on_loss_(end.lost);
      return end;
    }
    check_mpi(MPI_Win_unlock_all(window_), "MPI_Win_unlock_all");
    check_mpi(MPI_Win_free(&window_), "MPI_Win_free");
    check_mpi(MPI_Comm_free(&world_), "MPI_Comm_free");
    return end;
  }

 private:
  /// The buffers of an operation must stay in place even if this throws, because a late answer may still
  /// come.
  void wait_for(MPI_Request& request) {
    const auto give_up = Clock::now() + kPatience;
    while (true) {
      {
        const std::lock_guard lock(mpi_);
        int done = 0;
        check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (done != 0) return;
      }
      if (Clock::now() > give_up) throw NoAnswer();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  /// Sends this process's row to rank 0.
  void tell() {
    const std::lock_guard one(telling_);
    {
      const std::lock_guard lock(row_lock_);
      ++row_.beats;
      told_ = row_;
    }
    MPI_Request request = MPI_REQUEST_NULL;
    {
      const std::lock_guard lock(mpi_);
      const auto at = static_cast<MPI_Aint>(1 + static_cast<std::size_t>(rank_) * kRowWords);
      check_mpi(MPI_Raccumulate(&told_, kRowWords, MPI_UINT64_T, 0, at, kRowWords, MPI_UINT64_T, MPI_REPLACE,
                                window_, &request),
                "MPI_Raccumulate");
    }
    wait_for(request);
    // Now the buffer is free. Only a flush would say that rank 0 has the row, but a flush may not return.
  }

  /// Reads the rows of all processes, by rank.
  std::vector<Row> read_table() {
    const std::lock_guard one(reading_);
    MPI_Request request = MPI_REQUEST_NULL;
    {
      const std::lock_guard lock(mpi_);
      const int words = static_cast<int>(size_ * kRowWords);
      check_mpi(MPI_Rget_accumulate(nullptr, 0, MPI_UINT64_T, answer_.data(), words, MPI_UINT64_T, 0, 1,
                                    words, MPI_UINT64_T, MPI_NO_OP, window_, &request),
                "MPI_Rget_accumulate");
    }
    wait_for(request);
    return answer_;
  }

  void beat_until_told() {
    auto next = Clock::now() + kBeatEvery;
    std::unique_lock wait(stop_lock_);
    while (!stop_.wait_for(wait, rank_ == 0 ? kAnswerEvery : kAwakeEvery, [this] { return stopping_; })) {
      {
        const std::lock_guard lock(mpi_);
        int arrived = 0;
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world_, &arrived, MPI_STATUS_IGNORE);  // to be inside MPI
      }
      if (Clock::now() < next) continue;
      next = Clock::now() + kBeatEvery;
      try {
        tell();
        if (rank_ == 0) {
          std::vector<WorkCounts> counts = counts_of(read_table());
          const std::lock_guard lock(row_lock_);
          progress_ = std::move(counts);
        }
      } catch (const std::runtime_error&) {
        continue;  // take() or finish() gets this error, too, and can report it
      }
    }
  }

  void stop_pulse() {
    {
      const std::lock_guard lock(stop_lock_);
      stopping_ = true;
    }
    stop_.notify_all();
    if (pulse_.joinable()) pulse_.join();
  }

  /// Reports that this process is at `stage`, and waits for the others.
  /// @param table  gets the rows of all processes
  /// @return the ranks that have not come to `stage` and have shown no sign of life for kPatience; all others
  /// are at `stage`
  std::vector<int> reach(Stage stage, std::vector<Row>& table) {
    {
      const std::lock_guard lock(row_lock_);
      row_.stage = static_cast<Word>(stage);
    }
    tell();
    std::vector<Word> beats(size_, 0);
    std::vector<Clock::time_point> alive(size_, Clock::now());
    while (true) {
      table = read_table();
      std::vector<int> lost;
      bool others_come = false;
      for (std::size_t rank = 0; rank < size_; ++rank) {
        if (table[rank].beats != beats[rank]) alive[rank] = Clock::now();
        beats[rank] = table[rank].beats;
        if (table[rank].stage >= static_cast<Word>(stage)) continue;
        if (Clock::now() - alive[rank] > kPatience) {
          lost.push_back(static_cast<int>(rank));
        } else {
          others_come = true;
        }
      }
      if (!others_come) return lost;
      std::this_thread::sleep_for(kAwakeEvery);
    }
  }

  Word items_;
  std::function<void(std::span<const int>)> on_loss_;
  int rank_ = 0;
  std::size_t size_ = 1;
  MPI_Comm world_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
  mutable std::mutex mpi_;  // one MPI call at a time
  Word added_ = 0;
  Word begin_ = 0;
  mutable std::mutex row_lock_;  // guards row_ and progress_
  Row row_;
  std::vector<WorkCounts> progress_;
  std::mutex telling_;
  Row told_;
  std::mutex reading_;
  std::vector<Row> answer_;
  std::thread pulse_;
  std::mutex stop_lock_;
  std::condition_variable stop_;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<SharedWork> share_work_over_mpi(std::uint64_t items,
                                                std::function<void(std::span<const int>)> on_loss) {
  return std::make_unique<MpiSharedWork>(items, std::move(on_loss));
}

}  // namespace headstart
