// tests/features/cache/cache_workplace.hpp: a cache folder for one test, and what tests of the cache do to
// its files.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "features/cache/cache.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {

constexpr std::size_t kWorkplaceColumns = 512;  // block5_pool of a 32 x 32 input

inline ExtractorConfiguration workplace_configuration() {
  ExtractorConfiguration result;
  result.resize.size = 32;
  return result;
}

/// Starts `work` in a child process, which exits with 0 if it gives true.
template <typename Work>
pid_t start_child(Work work) {
  const pid_t child = fork();
  if (child != 0) return child;
  int failed = 1;
  try {
    failed = work() ? 0 : 1;
  } catch (...) {
    failed = 2;
  }
  _exit(failed);
}

/// Runs `work` in a child process. @return what waitpid says of it
template <typename Work>
int in_child(Work work) {
  int status = -1;
  waitpid(start_child(work), &status, 0);
  return status;
}

/// A cache folder of its own and what the caches in it warned of.
class Workplace {
 public:
  [[nodiscard]] FeatureCache open() { return open(root()); }
  [[nodiscard]] FeatureCache open(const std::filesystem::path& root) {
    return open(root, workplace_configuration());
  }
  [[nodiscard]] FeatureCache open(const std::filesystem::path& root, const ExtractorConfiguration& of) {
    return {root, of, Tap{"block5_pool"}, [this](const std::string& line) { warnings.push_back(line); }};
  }
  [[nodiscard]] std::filesystem::path root() const { return scratch_ / "cache"; }
  [[nodiscard]] std::filesystem::path fingerprint_folder() const {
    return root() / workplace_configuration().fingerprint();
  }
  [[nodiscard]] std::filesystem::path folder() const { return fingerprint_folder() / "block5_pool"; }

  /// Names in the folder of the tap, sorted.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    if (!std::filesystem::exists(folder())) return result;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      result.push_back(entry.path().filename().string());
    std::sort(result.begin(), result.end());
    return result;
  }
  /// Puts bytes under the name that their digest asks for.
  std::filesystem::path place(const std::vector<std::byte>& bytes) const {
    std::filesystem::create_directories(folder());
    std::filesystem::path file = folder() / segment_file_name(sha256(bytes));
    write(file, bytes);
    return file;
  }
  static void write(const std::filesystem::path& file, const std::vector<std::byte>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  /// Runs `work` in a child process that may read the cache and write nothing; it dies if that takes a
  /// minute.
  template <typename Work>
  int in_child_without_writing(Work work) {
    namespace fs = std::filesystem;
    std::vector<fs::path> folders{root().parent_path(), root()};
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      if (entry.is_directory()) folders.push_back(entry.path());  // files would get another change time
    }
    for (const fs::path& folder : folders) fs::permissions(folder, fs::perms{0555});
    const int status = in_child([&] {
      alarm(60);
      constexpr uid_t kNobody = 65534;  // root may write everywhere
      return (geteuid() != 0 || setuid(kNobody) == 0) && work();
    });
    for (const fs::path& folder : folders) fs::permissions(folder, fs::perms{0755});
    return status;
  }

  std::vector<std::string> warnings;

 private:
  ScratchFolder scratch_;
};

inline std::vector<Sha256> keys_of(const std::vector<int>& images) {
  std::vector<Sha256> keys;
  keys.reserve(images.size());
  for (const int image : images) keys.push_back(made_up_key(image));
  return keys;
}

inline SparseRows rows_of(const std::vector<int>& images) {
  SparseRows rows;
  rows.columns = kWorkplaceColumns;
  for (const int image : images) rows.append_dense(made_up_row(image, kWorkplaceColumns));
  return rows;
}

inline void flip_bit(const std::filesystem::path& file, std::uint64_t bit) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto at = static_cast<std::streamoff>(bit / 8);
  stream.seekg(at);
  const int byte = stream.get();
  stream.seekp(at);
  stream.put(static_cast<char>(static_cast<unsigned>(byte) ^ (1U << (bit % 8))));
}

/// Has the folder's index, whose digest is right, say of each segment's rows that they are the next one's.
inline void have_index_lie(const std::filesystem::path& folder) {
  const SegmentIndex index = SegmentIndex::read(folder);
  std::vector<IndexedRow> rows(index.rows().begin(), index.rows().end());
  ASSERT_GT(rows.size(), 1U);
  const Sha256 first = rows.front().key;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) rows[i].key = rows[i + 1].key;
  rows.back().key = first;
  ASSERT_EQ(SegmentIndex::write(folder, {index.segments().begin(), index.segments().end()}, rows),
            std::nullopt);
}

}  // namespace headstart::test
