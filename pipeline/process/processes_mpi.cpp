// pipeline/process/processes_mpi.cpp: ProcessGroup over MPI. All calls come from the thread that joined,
// except for shared work: shared_work_mpi.cpp has its own thread, and makes one MPI call at a time.
#define OMPI_SKIP_MPICXX 1  // the C++ bindings, gone since MPI 3, do not pass our warnings
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/process/mpi_error.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/shared_work_mpi.hpp"

namespace headstart {
namespace {

// Counts and offsets are ints in MPI, so larger data are sent in pieces.
constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
constexpr std::chrono::seconds kFailurePatience{2};

class MpiProcesses final : public Processes {
 public:
  MpiProcesses() {
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &threads_), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &failures_), "MPI_Comm_dup");
  }
  ~MpiProcesses() override {
    if (lost_some_) return;  // MPI_Finalize waits for them, and mpirun may hang in MPI_Abort (Open MPI 4.1)
    if (alone_failed_) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
  }
  MpiProcesses(const MpiProcesses&) = delete;
  MpiProcesses& operator=(const MpiProcesses&) = delete;

  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] int rank() const noexcept override { return rank_; }

  void all_gather(std::span<const std::byte> own, std::span<const std::size_t> counts,
                  std::span<std::byte> all) override {
    if (all.size() > kMostBytes) return all_broadcast(own, counts, all);
    std::vector<int> lengths;
    std::vector<int> offsets;
    lengths.reserve(counts.size());
    offsets.reserve(counts.size());
    int offset = 0;
    for (const std::size_t count : counts) {
      lengths.push_back(static_cast<int>(count));
      offsets.push_back(offset);
      offset += lengths.back();
    }
    check_mpi(MPI_Allgatherv(own.data(), static_cast<int>(own.size()), MPI_BYTE, all.data(), lengths.data(),
                             offsets.data(), MPI_BYTE, MPI_COMM_WORLD),
              "MPI_Allgatherv");
  }

  [[nodiscard]] std::unique_ptr<SharedWork> share_work(std::uint64_t items) override {
    if (threads_ < MPI_THREAD_SERIALIZED)
      throw std::runtime_error("this MPI library takes calls of one thread only");
    return share_work_over_mpi(items, [this](std::span<const int> lost) {
      lost_some_ = true;
      lost_leader_ = std::find(lost.begin(), lost.end(), 0) != lost.end();
    });
  }

  [[nodiscard]] bool all_fail() override {
    if (lost_some_) return !lost_leader_;  // rank 0 tells for all; without it each tells
    MPI_Request request = MPI_REQUEST_NULL;
    int done = 0;
    if (MPI_Ibarrier(failures_, &request) == MPI_SUCCESS) {
      const auto give_up = std::chrono::steady_clock::now() + kFailurePatience;
      while (done == 0 && std::chrono::steady_clock::now() < give_up) {
        if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    alone_failed_ = done == 0;
    return !alone_failed_;
  }

 private:
  void all_broadcast(std::span<const std::byte> own, std::span<const std::size_t> counts,
                     std::span<std::byte> all) const {
    std::size_t begin = 0;
    for (int root = 0; root < size_; ++root) {
      const std::span<std::byte> part = all.subspan(begin, counts[static_cast<std::size_t>(root)]);
      if (root == rank_) std::copy(own.begin(), own.end(), part.begin());
      for (std::size_t sent = 0; sent < part.size(); sent += kMostBytes) {
        const std::size_t count = std::min(kMostBytes, part.size() - sent);
        check_mpi(MPI_Bcast(part.data() + sent, static_cast<int>(count), MPI_BYTE, root, MPI_COMM_WORLD),
                  "MPI_Bcast");
      }
      begin += part.size();
    }
  }

  int rank_ = 0;
  int size_ = 1;
  int threads_ = MPI_THREAD_SINGLE;
  MPI_Comm failures_ = MPI_COMM_NULL;  // not the one on which others may be waiting
  bool alone_failed_ = false;
  bool lost_some_ = false;  // collective calls do not return any more
  bool lost_leader_ = false;
};

}  // namespace

std::unique_ptr<Processes> join_processes() {
  if (launched_processes() == 1) return nullptr;
  return std::make_unique<MpiProcesses>();
}

bool can_share_work() { return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr && launched_processes() > 1; }

std::string describe_mpi() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string version(text.data(), static_cast<std::size_t>(std::max(length, 0)));
  return version.substr(0, version.find(','));
}

}  // namespace headstart
