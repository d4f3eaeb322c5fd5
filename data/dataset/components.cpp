// data/dataset/components.cpp: union-find over equal bytes and equal groups.
#include "data/dataset/components.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

namespace headstart {
namespace {

/// Union-find over 0..n-1 with path halving.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  void join(std::size_t a, std::size_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::size_t> parent_;
};

/// Most frequent label of the rows; the smallest of several.
Label majority_label(const Manifest& manifest, const std::vector<std::size_t>& rows) {
  std::map<Label, std::size_t> counts;
  for (const std::size_t row : rows) ++counts[manifest.samples[row].label];
  const auto best = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return best->first;
}

/// SHA-256 of seed (eight bytes, little-endian) and digest.
Sha256 draw_key(std::uint64_t seed, const Sha256& content) {
  std::array<std::byte, 8> prefix{};
  for (std::size_t i = 0; i < prefix.size(); ++i) prefix[i] = static_cast<std::byte>(seed >> (8 * i));
  Sha256Stream stream;
  stream.update(prefix);
  stream.update(std::as_bytes(std::span(content.bytes)));
  return stream.finish();
}

}  // namespace

std::vector<Component> components_of(const Manifest& manifest, std::span<const std::size_t> rows,
                                     std::span<const std::optional<Sha256>> content, std::uint64_t seed) {
  DisjointSets sets(rows.size());
  std::unordered_map<Sha256, std::size_t> by_content;
  std::unordered_map<std::string, std::size_t> by_group;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    assert(content[rows[i]].has_value());
    if (content[rows[i]]) sets.join(i, by_content.try_emplace(*content[rows[i]], i).first->second);
    const std::string& group = manifest.samples[rows[i]].group;
    if (!group.empty()) sets.join(i, by_group.try_emplace(group, i).first->second);
  }
  std::unordered_map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < rows.size(); ++i) members[sets.find(i)].push_back(rows[i]);

  std::vector<Component> components;
  components.reserve(members.size());
  for (auto& [root, member_rows] : members) {
    Sha256 smallest = content[member_rows.front()].value_or(Sha256{});
    for (const std::size_t row : member_rows) smallest = std::min(smallest, content[row].value_or(Sha256{}));
    const Label label = majority_label(manifest, member_rows);
    components.push_back({std::move(member_rows), label, draw_key(seed, smallest)});
  }
  std::sort(components.begin(), components.end(),
            [](const Component& a, const Component& b) { return a.order < b.order; });
  return components;
}

}  // namespace headstart
