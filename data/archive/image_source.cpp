// data/archive/image_source.cpp: see image_source.hpp.
#include "data/archive/image_source.hpp"

#include <algorithm>
#include <numeric>

namespace headstart {

std::string name_of(const ImageSource& source) {
  return source.member ? source.file.string() + '/' + source.member->name : source.file.string();
}

std::optional<FileStamp> stamp_of(const ImageSource& source) {
  if (!source.problem.empty()) return std::nullopt;
  std::optional<FileStamp> stamp = FileStamp::of(source.file);
  if (source.member && stamp != source.member->archive) stamp.reset();
  return stamp;
}

std::vector<std::size_t> reading_order(std::span<const ImageSource> sources) {
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto members = std::stable_partition(order.begin(), order.end(),
                                             [&](std::size_t i) { return !sources[i].member.has_value(); });
  std::stable_sort(members, order.end(), [&](std::size_t a, std::size_t b) {
    const int archives = sources[a].file.native().compare(sources[b].file.native());
    return archives != 0 ? archives < 0 : sources[a].member->position < sources[b].member->position;
  });
  return order;
}

}  // namespace headstart
