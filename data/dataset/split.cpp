// data/dataset/split.cpp: finds duplicates, and draws a split whose units are components.
#include "data/dataset/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "data/dataset/components.hpp"
#include "data/dataset/counted.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

/// The sums 0..limit that sizes of components can add up to, and components for each sum. Bounded subset sum,
/// one pass for each distinct size: sizes x limit steps and eight bytes a sum.
class SubsetSums {
 public:
  /// @param counts  how many components of each size there are
  SubsetSums(const std::map<std::size_t, std::size_t>& counts, std::size_t limit)
      : sizes_(counts.begin(), counts.end()), ends_(limit + 1) {
    ends_[0] = {kEmpty, 0};
    for (std::uint32_t step = 0; step < sizes_.size(); ++step) {
      const auto& [size, count] = sizes_[step];
      for (std::size_t sum = size; sum <= limit; ++sum) {
        const End& before = ends_[sum - size];
        if (ends_[sum].step != kUnreachable || before.step == kUnreachable) continue;
        const std::uint32_t used = before.step == step ? before.used + 1 : 1;
        if (used <= count) ends_[sum] = {step, used};
      }
    }
  }

  [[nodiscard]] bool contains(std::size_t sum) const { return ends_[sum].step != kUnreachable; }

  /// How many components of each size add up to `sum`, with as few large sizes as possible.
  [[nodiscard]] std::map<std::size_t, std::size_t> taken(std::size_t sum) const {
    std::map<std::size_t, std::size_t> result;
    while (sum > 0) {
      const End& end = ends_[sum];
      const std::size_t size = sizes_[end.step].first;
      result[size] = end.used;
      sum -= end.used * size;  // a smaller size reached the rest
    }
    return result;
  }

 private:
  static constexpr std::uint32_t kUnreachable = 0xFFFF'FFFF;
  static constexpr std::uint32_t kEmpty = 0xFFFF'FFFE;
  /// How a sum was first reached: with the smallest possible sizes.
  struct End {
    std::uint32_t step = kUnreachable;  ///< place in sizes_ of the largest size in the sum
    std::uint32_t used = 0;             ///< components of that size in the sum, as few as possible
  };
  std::vector<std::pair<std::size_t, std::size_t>> sizes_;
  std::vector<End> ends_;
};

/// Which of one class's components, in the order of the draw, become validation.
std::vector<bool> choose(const std::vector<const Component*>& components, double fraction) {
  std::vector<bool> chosen(components.size());
  if (components.size() < 2) return chosen;  // one side stays empty, never the training side
  std::map<std::size_t, std::size_t> counts;
  std::size_t total = 0;
  for (const Component* component : components) {
    ++counts[component->rows.size()];
    total += component->rows.size();
  }
  const SubsetSums sums(counts, total - 1);
  const double wanted = fraction * static_cast<double>(total);
  std::size_t best = 0;
  for (std::size_t sum = 1; sum < total; ++sum) {
    if (!sums.contains(sum)) continue;
    const auto distance = [wanted](std::size_t n) { return std::abs(static_cast<double>(n) - wanted); };
    if (best == 0 || distance(sum) < distance(best)) best = sum;
  }

  // The draw: takes components in order while they fit. Single images nearly always fill the rest.
  std::size_t sum = 0;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const std::size_t size = components[i]->rows.size();
    chosen[i] = sum + size <= best;
    if (chosen[i]) sum += size;
  }
  if (sum == best) return chosen;

  std::map<std::size_t, std::size_t> left = sums.taken(best);
  for (std::size_t i = 0; i < components.size(); ++i) {
    std::size_t& of_this_size = left[components[i]->rows.size()];
    chosen[i] = of_this_size > 0;
    if (chosen[i]) --of_this_size;
  }
  return chosen;
}

}  // namespace

std::vector<DuplicateSet> find_duplicates(const Manifest& manifest,
                                          std::span<const std::optional<Sha256>> content) {
  assert(content.size() == manifest.samples.size());
  std::unordered_map<Sha256, std::size_t> set_of;
  std::vector<DuplicateSet> sets;
  for (std::size_t row = 0; row < content.size(); ++row) {
    if (!content[row]) continue;
    const auto [place, is_new] = set_of.try_emplace(*content[row], sets.size());
    if (is_new) sets.emplace_back();
    DuplicateSet& set = sets[place->second];
    set.rows.push_back(row);
    const Sample& first = manifest.samples[set.rows.front()];
    set.labels_differ = set.labels_differ || manifest.samples[row].label != first.label;
    set.splits_differ = set.splits_differ || manifest.samples[row].split != first.split;
  }
  std::erase_if(sets, [](const DuplicateSet& set) { return set.rows.size() < 2; });
  return sets;
}

std::optional<std::string> doubt_about_groups(const Manifest& manifest) {
  std::unordered_map<std::string_view, const Sample*> first_of;
  std::unordered_set<std::string_view> parted;
  std::string example;
  for (const Sample& sample : manifest.samples) {
    if (sample.group.empty()) continue;
    const Sample& first = *first_of.try_emplace(sample.group, &sample).first->second;
    if (first.split == sample.split) continue;
    if (parted.empty()) {
      example = fmt::format("'{}': {} ({}) and {} ({})", printable(sample.group), printable(first.path),
                            to_string(first.split), printable(sample.path), to_string(sample.split));
    }
    parted.insert(sample.group);
  }
  if (parted.empty()) return std::nullopt;
  return fmt::format("{} images in several splits{} {}", counted(parted.size(), "group has", "groups have"),
                     parted.size() == 1 ? ":" : ", such as", example);
}

void draw_validation_split(Manifest& manifest, std::span<const std::size_t> rows,
                           std::span<const std::optional<Sha256>> content, double validation_fraction,
                           std::uint64_t seed) {
  assert(validation_fraction > 0.0 && validation_fraction < 1.0);
  const std::vector<Component> components = components_of(manifest, rows, content, seed);
  std::map<Label, std::vector<const Component*>> by_class;
  for (const Component& component : components) by_class[component.majority].push_back(&component);
  for (const auto& [label, of_class] : by_class) {
    const std::vector<bool> is_validation = choose(of_class, validation_fraction);
    for (std::size_t i = 0; i < of_class.size(); ++i) {
      for (const std::size_t row : of_class[i]->rows) {
        manifest.samples[row].split = is_validation[i] ? Split::kValidation : Split::kTrain;
      }
    }
  }
}

}  // namespace headstart
