// pipeline/commands/stage_two_size.hpp: the sizes of a dataset's rows, from which plans say what training or
// a search will cost.
#pragma once

#include <cstdint>
#include <optional>

#include "data/dataset/discovery.hpp"
#include "features/network/network.hpp"
#include "pipeline/options/training_options.hpp"

namespace headstart {

/// The sizes of rows.
struct StageTwoSize {
  std::int64_t images = 0;    ///< that train
  std::int64_t rows = 0;      ///< of the whole dataset, views included
  std::int64_t views = 0;     ///< of the images that train
  MapShape shape;             ///< of a row's map
  std::int64_t nonzeros = 0;  ///< of all rows' maps
  int classes = 0;
};

/// The non-zeros of rows that are not yet computed: a seventh of flattened maps. VGG16's block5_pool has a
/// tenth.
[[nodiscard]] std::int64_t expected_nonzeros(std::int64_t rows, MapShape shape) noexcept;

/// The sizes as far as they can be known before rows are computed and splits are drawn.
/// @param nonzeros  where they are known; else expected_nonzeros()
[[nodiscard]] StageTwoSize expected_size(const Manifest& manifest, MapShape shape,
                                         const TrainOptions& options,
                                         std::optional<std::int64_t> nonzeros = {});

}  // namespace headstart
