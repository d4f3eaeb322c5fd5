// head/layers/process_group.cpp
#include "head/layers/process_group.hpp"

#include <algorithm>
#include <vector>

namespace headstart {

bool any_process(ProcessGroup* group, bool here) {
  if (group == nullptr) return here;
  const std::byte own{here};
  const std::vector<std::size_t> counts(static_cast<std::size_t>(group->size()), 1);
  std::vector<std::byte> all(counts.size());
  group->all_gather(std::span(&own, 1), counts, all);
  return std::any_of(all.begin(), all.end(), [](std::byte said) { return said != std::byte{0}; });
}

}  // namespace headstart
