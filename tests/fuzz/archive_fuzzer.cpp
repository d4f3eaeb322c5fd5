// tests/fuzz/archive_fuzzer.cpp: any bytes given as an archive end as samples and images, each of them bytes
// or a reason, or as one line of error. Whatever is damaged, an image is the same bytes, or is none, in
// whatever order members are read: a run that reads only what CACHE/stat doesn't know has the rows of one
// that reads all. Surprise: headers of a .tar carry checksums, which nearly every mutation breaks; the
// mutator puts most of them right again, so that what lies behind the check is reached.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/archive/archive_listing.hpp"
#include "data/archive/image_reader.hpp"
#include "data/archive/image_source.hpp"
#include "data/dataset/archive_dataset.hpp"
#include "data/dataset/manifest.hpp"
#include "data/error.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/memory_file.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using headstart::ImageReader;
using headstart::ImageSource;
using headstart::Manifest;
using headstart::Reject;
using headstart::Sample;
using headstart::fuzz::expect;

using Read = std::variant<std::vector<std::byte>, Reject>;

constexpr std::uint64_t kMaxBytes = 1U << 20U;  // of an image: a small archive may unpack to a large one
constexpr std::size_t kReadAlone = 4;

/// Of every block that says it is a .tar's header: the sum of its bytes, its own eight taken for spaces.
void repair_checksums(std::span<std::uint8_t> tar) {
  constexpr std::size_t kBlock = 512;
  constexpr std::size_t kSum = 148;
  constexpr std::size_t kMagic = 257;
  for (; tar.size() >= kBlock; tar = tar.subspan(kBlock)) {
    if (std::memcmp(tar.data() + kMagic, "ustar", 5) != 0) continue;
    std::memset(tar.data() + kSum, ' ', 8);
    unsigned sum = 0;
    for (const std::uint8_t byte : tar.first(kBlock)) sum += byte;
    for (std::size_t digit = 6; digit-- > 0; sum /= 8)
      tar[kSum + digit] = static_cast<std::uint8_t>('0' + sum % 8);
    tar[kSum + 6] = 0;
  }
}

void check_line(std::string_view line) {
  expect(!line.empty(), "a reason says something");
  expect(line == headstart::printable(line), "a reason is one line that can be printed");
}

void check_name(const std::string& name) {
  expect(!name.empty() && name.find('\0') == std::string::npos, "a member has a name");
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    expect(end > begin && name[begin] != '.', "a name has no part that is empty, hidden, or leads out");
    begin = end + 1;
  }
}

void check_read(const Read& read) {
  if (const auto* reject = std::get_if<Reject>(&read)) {
    check_line(reject->reason);
    // As a whole: a member's name may be part of a reason, and hold any words.
    expect(reject->reason != "its archive has changed since it was listed" &&
               reject->reason != "is not in its archive any more",
           "what is listed is found again");
  } else {
    const std::size_t size = std::get<std::vector<std::byte>>(read).size();
    expect(size > 0 && size <= kMaxBytes, "an image keeps to the limits");
  }
}

void check_images(const std::vector<ImageSource>& images) {
  const std::vector<std::size_t> order = headstart::reading_order(images);
  std::vector<Read> all(images.size());
  ImageReader reader(kMaxBytes);
  for (const std::size_t i : order) {
    if (images[i].member) check_name(images[i].member->name);
    check_read(all[i] = reader.read(images[i]));
  }
  ImageReader of_rejects(kMaxBytes);
  for (const std::size_t i : order) {
    if (std::holds_alternative<Reject>(all[i]))
      expect(of_rejects.read(images[i]) == all[i], "a reject is one also where the others are not read");
  }
  for (std::size_t i = 0; i < std::min(images.size(), kReadAlone); ++i) {
    if (std::holds_alternative<Reject>(all[i])) continue;
    expect(ImageReader(kMaxBytes).read(images[i]) == all[i], "an image is the same where it is read alone");
  }
}

void check_manifest(const Manifest& manifest) {
  expect(std::set(manifest.classes.begin(), manifest.classes.end()).size() == manifest.classes.size(),
         "classes differ");
  std::set<std::string> paths;
  for (const Sample& sample : manifest.samples) {
    if (sample.source.member) {
      expect(paths.insert(sample.path).second, "a path is one sample's");
      expect(sample.path.starts_with("set.tar/"), "a path begins with the archive's");
    }
    if (sample.label == headstart::kNoLabel) {
      expect(!sample.source.problem.empty(), "a sample without a label says why");
      continue;
    }
    expect(sample.label >= 0 && static_cast<std::size_t>(sample.label) < manifest.classes.size(),
           "a label has a class");
    expect((sample.split != headstart::Split::kUnassigned) == manifest.has_given_splits,
           "all samples have a split or none");
  }
  for (const std::string& note : manifest.notes) check_line(note);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  const std::size_t mutated = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) repair_checksums({data, mutated});
  return mutated;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const headstart::fuzz::MemoryFile file({data, size});
  std::vector<ImageSource> images = headstart::images_in(headstart::list_archive(file.path()));
  try {
    const Manifest manifest = headstart::read_archives({{"set.tar", file.path()}}, "set.tar");
    check_manifest(manifest);
    if (!manifest.samples.empty()) images.clear();
    for (const Sample& sample : manifest.samples) images.push_back(sample.source);
  } catch (const headstart::Error& error) {
    check_line(error.what());
  }
  check_images(images);
  return 0;
}
