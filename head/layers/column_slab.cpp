// head/layers/column_slab.cpp
#include "head/layers/column_slab.hpp"

#include <algorithm>

#include "head/layers/primal_kernel.hpp"

namespace headstart {

std::vector<ColumnSlab> column_slabs(Eigen::Index columns) {
  std::vector<ColumnSlab> slabs;
  for (Eigen::Index first = 0; first < columns; first += kSlabColumns) {
    const Eigen::Index count = std::min(kSlabColumns, columns - first);
    const std::size_t groups = (static_cast<std::size_t>(count) + kColumnGroup - 1) / kColumnGroup;
    slabs.push_back({first, count, groups * kColumnGroup});
  }
  return slabs;
}

SlabRows without_padding(std::span<float> floats, Eigen::Index rows, const ColumnSlab& slab) {
  return {floats.data(), rows, slab.columns, Eigen::OuterStride<>(static_cast<Eigen::Index>(slab.width))};
}

}  // namespace headstart
