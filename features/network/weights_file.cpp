// features/network/weights_file.cpp: chooses the reader for a file of weights. PyTorch's own files are
// recognised and refused: they are pickles, which are programs that run when they are read.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "data/image/byte_view.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/stored_weights.hpp"
#include "features/network/weights.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

enum class Format { kHdf5, kKerasArchive, kTorchArchive, kPickle, kSafetensors, kOnnx, kUnknown };

Format format_of(const ByteView& start) {
  if (start.has(0, "\x89HDF\r\n\x1a\n")) return Format::kHdf5;
  if (start.has(0, "PK\x03\x04")) {
    // The first member's name: metadata.json in Keras's files, ANYTHING/data.pkl in PyTorch's.
    const ByteView zip(start.bytes(), std::endian::little);
    return zip.text(30, zip.u16(26)).find('/') == std::string_view::npos ? Format::kKerasArchive
                                                                         : Format::kTorchArchive;
  }
  if (start.u8(0) == 0x80 && start.u8(1) >= 2 && start.u8(1) <= 5) return Format::kPickle;
  // Checked before ONNX: the length of a header may begin with the first byte of an ONNX model. But no ONNX
  // model has a brace here.
  if (start.has(8, "{")) return Format::kSafetensors;
  if (start.u8(0) == 0x08) return Format::kOnnx;  // ModelProto.ir_version
  return Format::kUnknown;
}

Format format_by_extension(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".onnx") return Format::kOnnx;
  if (extension == ".safetensors") return Format::kSafetensors;
  if (extension == ".h5" || extension == ".hdf5") return Format::kHdf5;
  return Format::kUnknown;
}

Format format_of(const fs::path& file) {
  std::error_code ignored;  // the reader reports the problem if it is no regular file
  if (!fs::is_regular_file(file, ignored)) return format_by_extension(file);
  std::array<char, 256> start{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  const auto count = static_cast<std::size_t>(stream.gcount());
  const Format format = format_of(ByteView(std::as_bytes(std::span(start)).first(count)));
  return format == Format::kUnknown ? format_by_extension(file) : format;
}

std::vector<std::byte> read_whole(const Network& network, const fs::path& file) {
  auto read = read_file(file, kMaxWeightsFileBytes);
  if (const auto* const reject = std::get_if<Reject>(&read)) {
    throw Error{Error::Kind::kFailed, "cannot read the weights",
                fmt::format("{}: {}", file.string(), reject->reason),
                fmt::format("pass a {} file to --weights", network.title)};
  }
  return std::get<std::vector<std::byte>>(std::move(read));
}

NetworkWeights read_as(const Network& network, const fs::path& file) {
  const WeightsSource source{network, file.string()};
  switch (format_of(file)) {
    case Format::kSafetensors:
      return read_safetensors_weights(network, read_whole(network, file), source.file);
    case Format::kOnnx:
      return read_onnx_weights(network, read_whole(network, file), source.file);
    case Format::kTorchArchive:
    case Format::kPickle:
      throw unfit_weights(
          source, "is a file of torch.save, which can run code when it is read",
          fmt::format("convert it: safetensors.torch.save_file(torch.load('{0}.pth', weights_only=True), "
                      "'{0}.safetensors')",
                      network.name));
    case Format::kUnknown:
      if (fs::is_regular_file(file)) {
        throw unfit_weights(source, "is neither a .h5 file of Keras nor a safetensors nor an ONNX file");
      }
      [[fallthrough]];
    case Format::kHdf5:
    case Format::kKerasArchive:
      break;
  }
  return read_keras_weights(network, file);
}

/// Whether a file that does not fit one network holds another one.
bool holds(const Network& network, const fs::path& file) {
  try {
    static_cast<void>(read_as(network, file));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

NetworkWeights read_weights(const Network& network, const fs::path& file) {
  try {
    return read_as(network, file);
  } catch (const Error&) {
    for (const Network& other : known_networks()) {
      if (other.name == network.name || !holds(other, file)) continue;
      throw unfit_weights({network, file.string()}, fmt::format("it holds {}'s layers", other.title),
                          fmt::format("pass --network {}", other.name));
    }
    throw;
  }
}

}  // namespace headstart
