// data/dataset/shard.cpp
#include "data/dataset/shard.hpp"

#include <algorithm>
#include <cstddef>

#include "data/sha256.hpp"

namespace headstart {

bool Shard::holds(std::string_view path) const {
  if (is_whole()) return true;
  const Sha256 digest = sha256(path);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest.bytes[i];
  return number % count == index;
}

void keep_shard(Manifest& manifest, const Shard& shard) {
  std::erase_if(manifest.samples, [&](const Sample& sample) { return !shard.holds(sample.path); });
}

}  // namespace headstart
