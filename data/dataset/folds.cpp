// data/dataset/folds.cpp: divides components into folds of nearly equal size. The largest component comes
// first, and each goes to the smallest fold (Graham 1969). Then components are moved and exchanged until
// nothing improves. The exact problem is NP-hard; for single images, the usual case, the result is exact.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "data/dataset/components.hpp"
#include "data/dataset/split.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

/// The part of one class in a fold: its components, by their number of rows.
struct Share {
  std::map<std::size_t, std::vector<const Component*>> by_size;
  std::size_t rows = 0;

  void add(const Component* component) {
    by_size[component->rows.size()].push_back(component);
    rows += component->rows.size();
  }

  const Component* take(std::size_t size) {
    const auto place = by_size.find(size);
    const Component* const component = place->second.back();
    place->second.pop_back();
    if (place->second.empty()) by_size.erase(place);
    rows -= size;
    return component;
  }
};

/// A component of `give` rows moves; a component of `back` rows (0: none) comes back.
struct Exchange {
  std::size_t give = 0;
  std::size_t back = 0;
};

/// The exchange after which the two shares are nearest to equal; give is 0 if none improves them.
Exchange best_exchange(const Share& larger, const Share& smaller) {
  const std::size_t gap = larger.rows - smaller.rows;
  Exchange best;
  std::size_t best_gap = gap;
  const auto consider = [&](std::size_t give, std::size_t back) {
    if (give <= back || give - back >= gap) return;
    const std::size_t twice = 2 * (give - back);
    const std::size_t left = twice > gap ? twice - gap : gap - twice;
    if (left >= best_gap) return;
    best = {give, back};
    best_gap = left;
  };
  for (const auto& [give, givers] : larger.by_size) {
    consider(give, 0);
    for (const auto& [back, takers] : smaller.by_size) consider(give, back);
  }
  return best;
}

/// Exchanges components between shares until nothing improves. This ends, because every exchange lowers the
/// sum of squared sizes. No share becomes empty: the larger share keeps more rows than the smaller had.
void even_out(std::vector<Share>& shares) {
  bool improved = true;
  while (improved) {
    improved = false;
    for (Share& larger : shares) {
      for (Share& smaller : shares) {
        if (larger.rows <= smaller.rows + 1) continue;
        const Exchange exchange = best_exchange(larger, smaller);
        if (exchange.give == 0) continue;
        const Component* const given = larger.take(exchange.give);
        if (exchange.back > 0) larger.add(smaller.take(exchange.back));
        smaller.add(given);
        improved = true;
      }
    }
  }
}

/// Distributes one class's components over the folds. A component goes to the fold with the fewest rows of
/// the class; of several, to the one with the fewest rows of all classes so far. So an empty fold is always
/// filled first.
/// @param of_class  in the order of the draw
/// @param totals    rows of each fold from the classes before
std::vector<Share> share_out(std::vector<const Component*> of_class, const std::vector<std::size_t>& totals) {
  std::stable_sort(of_class.begin(), of_class.end(),
                   [](const Component* a, const Component* b) { return a->rows.size() > b->rows.size(); });
  std::vector<Share> shares(totals.size());
  for (const Component* component : of_class) {
    std::size_t smallest = 0;
    for (std::size_t fold = 1; fold < shares.size(); ++fold) {
      const auto load = [&](std::size_t of) {
        return std::pair{shares[of].rows, totals[of] + shares[of].rows};
      };
      if (load(fold) < load(smallest)) smallest = fold;
    }
    shares[smallest].add(component);
  }
  even_out(shares);
  return shares;
}

}  // namespace

std::vector<int> draw_folds(const Manifest& manifest, std::span<const std::size_t> rows,
                            std::span<const std::optional<Sha256>> content, int folds, std::uint64_t seed) {
  if (folds < 2) {
    throw Error{Error::Kind::kUsage, "cannot divide the images into folds", fmt::format("{} folds", folds),
                "at least two are needed"};
  }
  const std::vector<Component> components = components_of(manifest, rows, content, seed);
  if (components.size() < static_cast<std::size_t>(folds)) {
    throw Error{
        Error::Kind::kData, "cannot divide the images into folds",
        fmt::format("{}: {} folds, {} independent images (copies, and images of one group, count once)",
                    printable(manifest.root.string()), folds, components.size()),
        "ask for fewer folds or add images"};
  }
  std::map<Label, std::vector<const Component*>> by_class;
  for (const Component& component : components) by_class[component.majority].push_back(&component);

  std::vector<int> fold_of(manifest.samples.size(), 0);
  std::vector<std::size_t> totals(static_cast<std::size_t>(folds), 0);
  for (auto& [label, of_class] : by_class) {
    const std::vector<Share> shares = share_out(std::move(of_class), totals);
    for (std::size_t fold = 0; fold < shares.size(); ++fold) {
      totals[fold] += shares[fold].rows;
      for (const auto& [size, members] : shares[fold].by_size) {
        for (const Component* component : members) {
          for (const std::size_t row : component->rows) fold_of[row] = static_cast<int>(fold);
        }
      }
    }
  }
  std::vector<int> result;
  result.reserve(rows.size());
  for (const std::size_t row : rows) result.push_back(fold_of[row]);
  return result;
}

}  // namespace headstart
