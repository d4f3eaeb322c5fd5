// pipeline/rows/npy_matrix.cpp
#include "pipeline/rows/npy_matrix.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "features/float16.hpp"
#include "pipeline/rows/feature_file_error.hpp"

namespace headstart {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read as they are in a file");

/// Converts `Stored` values to float32, which `read` gives a few thousand at a time: they stay in the
/// processor's cache.
template <typename Stored, typename Read, typename Convert>
void read_converted(std::span<float> values, const Read& read, const Convert& convert) {
  std::array<Stored, 8192> part;
  for (std::size_t done = 0; done < values.size();) {
    const std::span<Stored> stored = std::span(part).first(std::min(part.size(), values.size() - done));
    read(done, std::as_writable_bytes(stored));
    std::transform(stored.begin(), stored.end(), values.begin() + static_cast<std::ptrdiff_t>(done), convert);
    done += stored.size();
  }
}

}  // namespace

NpyMatrix::NpyMatrix(const std::filesystem::path& file)
    : path_(file), file_(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {  // a FIFO must not block
  struct stat status = {};
  if (!file_.is_open() || ::fstat(file_.get(), &status) != 0)
    refuse_features(file, std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) refuse_features(file, "is not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string start(std::min<std::uint64_t>(size, kMaxNpyHeaderBytes), '\0');
  read_bytes(0, std::as_writable_bytes(std::span(start)));
  const std::variant<NpyHeader, Reject> header = parse_npy_header(start, size);
  if (const auto* const reject = std::get_if<Reject>(&header)) refuse_features(file, reject->reason);
  header_ = std::get<NpyHeader>(header);
}

void NpyMatrix::read(std::uint64_t first, std::span<float> values) const {
  const std::size_t bytes = bytes_of(header_.type);
  const std::uint64_t begin = header_.offset + first * header_.columns * bytes;
  const auto read_part = [&](std::size_t done, std::span<std::byte> part) {
    read_bytes(begin + done * bytes, part);
  };
  switch (header_.type) {
    case NpyType::kFloat16:
      return read_converted<Float16>(values, read_part, to_float32);
    case NpyType::kFloat32:
      return read_part(0, std::as_writable_bytes(values));
    case NpyType::kFloat64:
      return read_converted<double>(values, read_part,
                                    [](double value) { return static_cast<float>(value); });
  }
}

void NpyMatrix::read_bytes(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_features(path_, std::generic_category().message(errno));
    if (count == 0) refuse_features(path_, "shrank while it was read");
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace headstart
