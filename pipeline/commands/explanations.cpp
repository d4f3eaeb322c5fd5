// pipeline/commands/explanations.cpp
#include "pipeline/commands/explanations.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "data/error.hpp"
#include "data/image/decode.hpp"
#include "data/image/png.hpp"
#include "data/image/thumbnail.hpp"
#include "head/insight/class_activation.hpp"
#include "pipeline/commands/explanation.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

constexpr int kSide = 448;           // pixels: twice the usual input size of the network
constexpr std::size_t kAtOnce = 32;  // images in memory together

/// The file's name without folders. A long name is cut, so that a new file's name can contain it.
std::string base_name(const ImageSource& image) {
  constexpr std::size_t kMostBytes = 200;  // of the 255 that file systems allow
  const std::string path = image.member ? image.member->name : image.file.string();
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.size() <= kMostBytes) return name;
  std::size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U)
    --end;  // not in the middle of a character
  name.resize(end);
  return name;
}

}  // namespace

Explanations::Explanations(const std::filesystem::path& folder, const Model& model,
                           const DecodeOptions& decode, int threads)
    : folder_(folder), model_(model), decode_(decode), threads_(threads) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    throw Error{Error::Kind::kFailed, "cannot make the folder for explanations",
                fmt::format("{}: {}", printable(folder_.string()), error.message()),
                "name another one with --explain"};
}

std::vector<std::string> Explanations::write(std::span<const ToExplain> images, StageOne& stage_one) {
  const MapShape shape = stage_one.map_shape();
  std::vector<std::string> files(images.size());
  for (std::size_t first = 0; first < images.size(); first += kAtOnce) {
    const auto part = images.subspan(first, std::min(kAtOnce, images.size() - first));
    std::vector<Sha256> keys;
    std::vector<std::int32_t> labels;
    std::vector<std::vector<std::byte>> bytes(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
      keys.push_back(part[i].content);
      labels.push_back(part[i].label);
      auto read = reader_.read(*part[i].image);
      auto* found = std::get_if<std::vector<std::byte>>(&read);
      if (found != nullptr && sha256(*found) == part[i].content) bytes[i] = std::move(*found);
    }
    const SparseRows rows = stage_one.features(keys);
    const Matrix maps = class_activation_maps(rows.view(), shape.channels, model_.representation, model_.head,
                                              labels, threads_);
    tbb::parallel_for(std::size_t{0}, part.size(), [&](std::size_t i) {
      auto decoded = decode_preview(bytes[i], decode_, kSide);
      auto* image = std::get_if<DecodedImage>(&decoded);
      if (image == nullptr) return;
      const auto row = static_cast<Eigen::Index>(i);
      const std::span<const float> map(maps.row(row).data(), static_cast<std::size_t>(maps.cols()));
      const RgbImage picture =
          overlay(shrink(std::move(image->image), kSide), map, shape.height, model_.configuration.resize);
      const std::filesystem::path file =
          folder_ / fmt::format("{:06}-{}.png", part[i].number, base_name(*part[i].image));
      write_file(file, encode_png(picture));
      files[first + i] = file.string();
    });
  }
  return files;
}

}  // namespace headstart
