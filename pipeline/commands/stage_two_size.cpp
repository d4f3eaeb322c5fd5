// pipeline/commands/stage_two_size.cpp
#include "pipeline/commands/stage_two_size.hpp"

#include <algorithm>
#include <cmath>

namespace headstart {

std::int64_t expected_nonzeros(std::int64_t rows, MapShape shape) noexcept {
  return rows * static_cast<std::int64_t>(shape.size()) / 7;
}

StageTwoSize expected_size(const Manifest& manifest, MapShape shape, const TrainOptions& options,
                           std::optional<std::int64_t> nonzeros) {
  const auto total = static_cast<std::int64_t>(manifest.samples.size());
  const auto count = [&](Split split) {
    return std::count_if(manifest.samples.begin(), manifest.samples.end(),
                         [split](const Sample& sample) { return sample.split == split; });
  };
  std::int64_t training = total - count(Split::kValidation) - count(Split::kTest);
  if (count(Split::kValidation) == 0)
    training -= static_cast<std::int64_t>(std::floor(static_cast<double>(training) * options.validation));
  const std::int64_t views = training * options.views;
  return {.images = training,
          .rows = total + views,
          .views = views,
          .shape = shape,
          .nonzeros = nonzeros ? *nonzeros : expected_nonzeros(total + views, shape),
          .classes = static_cast<int>(manifest.classes.size())};
}

}  // namespace headstart
