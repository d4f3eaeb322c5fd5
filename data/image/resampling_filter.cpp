// data/image/resampling_filter.cpp: see resampling_filter.hpp. The order of operations is that of Pillow's
// and PyTorch's arithmetic, since a weight that rounds otherwise shows in the result.
#include "data/image/resampling_filter.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace headstart {
namespace {

constexpr double kAntialiasedA = -0.5;
constexpr float kPlainA = -0.75F;

/// Keys's cubic within one pixel of the centre, and between one and two.
template <typename Real>
constexpr Real inner_cubic(Real x, Real a) {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}

double filter_value(Interpolation filter, double position) {
  const double x = std::abs(position);
  if (filter == Interpolation::kBilinear) return x < 1.0 ? 1.0 - x : 0.0;
  if (x < 1.0) return inner_cubic(x, kAntialiasedA);
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * kAntialiasedA : 0.0;
}

/// Pixels to each side that the filter has on the source.
double support_of(Interpolation filter) { return filter == Interpolation::kBilinear ? 1.0 : 2.0; }

/// The pixels [begin, end) of the line.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// A filter that is stretched by the reduction.
struct StretchedFilter {
  Interpolation filter;
  double scale;
  double stretch;
  double support;

  StretchedFilter(const ScaledLine& line, Interpolation which)
      : filter(which),
        scale(static_cast<double>(line.in) / static_cast<double>(line.scaled)),
        stretch(std::max(scale, 1.0)),
        support(support_of(which) * stretch) {}

  [[nodiscard]] double centre(std::int64_t x) const { return (static_cast<double>(x) + 0.5) * scale; }

  [[nodiscard]] Range range(double centre, int in) const {
    const auto begin = static_cast<std::int64_t>(std::floor(centre - support + 0.5));
    const auto end = static_cast<std::int64_t>(std::floor(centre + support + 0.5));
    return {std::max<std::int64_t>(begin, 0), std::min<std::int64_t>(end, in)};
  }

  [[nodiscard]] double weight(std::int64_t pixel, double centre) const {
    return filter_value(filter, (static_cast<double>(pixel) - centre + 0.5) * (1.0 / stretch));
  }
};

LineWeights<double> zero_weights(int count, std::int64_t taps) {
  LineWeights<double> result{static_cast<std::size_t>(taps), {}, {}};
  result.first.resize(static_cast<std::size_t>(count));
  result.weights.resize(result.first.size() * result.taps);
  return result;
}

std::span<double> weights_of(LineWeights<double>& weights, int i) {
  return std::span(weights.weights).subspan(static_cast<std::size_t>(i) * weights.taps, weights.taps);
}

LineWeights<double> antialiased_weights(const ScaledLine& line, Interpolation filter) {
  const StretchedFilter stretched(line, filter);
  std::int64_t taps = 1;
  for (int i = 0; i < line.count; ++i) {
    const Range range = stretched.range(stretched.centre(line.first + i), line.in);
    taps = std::max(taps, range.end - range.begin);
  }
  LineWeights<double> result = zero_weights(line.count, taps);
  for (int i = 0; i < line.count; ++i) {
    const double centre = stretched.centre(line.first + i);
    const Range range = stretched.range(centre, line.in);
    // At the line's end surplus taps lie before the range.
    const std::int64_t first = std::min(range.begin, line.in - taps);
    const auto own = weights_of(result, i).subspan(static_cast<std::size_t>(range.begin - first),
                                                   static_cast<std::size_t>(range.end - range.begin));
    double sum = 0.0;
    for (std::size_t t = 0; t < own.size(); ++t) {
      own[t] = stretched.weight(range.begin + static_cast<std::int64_t>(t), centre);
      sum += own[t];
    }
    for (double& weight : own) weight /= sum;
    result.first[static_cast<std::size_t>(i)] = static_cast<std::size_t>(first);
  }
  return result;
}

/// The four weights at -1, 0, 1 and 2 pixels from the one before the position; bilinear has two of them.
std::array<float, 4> plain_weights(Interpolation filter, float fraction) {
  if (filter == Interpolation::kBilinear) return {0.0F, 1.0F - fraction, fraction, 0.0F};
  const auto outer = [](float x) {
    return ((kPlainA * x - 5.0F * kPlainA) * x + 8.0F * kPlainA) * x - 4.0F * kPlainA;
  };
  return {outer(fraction + 1.0F), inner_cubic(fraction, kPlainA), inner_cubic(1.0F - fraction, kPlainA),
          outer(2.0F - fraction)};
}

LineWeights<double> unstretched_weights(const ScaledLine& line, Interpolation filter) {
  const std::int64_t reach = filter == Interpolation::kBilinear ? 0 : 1;
  const std::int64_t taps = std::min<std::int64_t>(2 + 2 * reach, line.in);
  LineWeights<double> result = zero_weights(line.count, taps);
  const float scale = static_cast<float>(line.in) / static_cast<float>(line.scaled);
  for (int i = 0; i < line.count; ++i) {
    const float position = (static_cast<float>(line.first + i) + 0.5F) * scale - 0.5F;
    const float before = std::floor(position);
    const auto weights = plain_weights(filter, position - before);
    const auto pixel = static_cast<std::int64_t>(before);
    const std::int64_t first = std::clamp<std::int64_t>(pixel - reach, 0, line.in - taps);
    const std::span<double> row = weights_of(result, i);
    for (std::int64_t t = -reach; t <= 1 + reach; ++t) {
      const std::int64_t at = std::clamp<std::int64_t>(pixel + t, 0, line.in - 1);
      row[static_cast<std::size_t>(at - first)] +=
          static_cast<double>(weights[static_cast<std::size_t>(t + 1)]);
    }
    result.first[static_cast<std::size_t>(i)] = static_cast<std::size_t>(first);
  }
  return result;
}

}  // namespace

LineWeights<double> filter_weights(const ScaledLine& line, Interpolation filter, bool antialias) {
  assert(line.in >= 1 && line.count >= 1 && line.first >= 0 && line.first + line.count <= line.scaled);
  assert(filter != Interpolation::kNearest);
  return antialias ? antialiased_weights(line, filter) : unstretched_weights(line, filter);
}

std::vector<std::size_t> nearest_pixels(const ScaledLine& line) {
  assert(line.in >= 1 && line.count >= 1 && line.first >= 0 && line.first + line.count <= line.scaled);
  // Longer lines are none that Pillow could make, and would take a second to count through.
  constexpr std::int64_t kCounted = std::int64_t{1} << 24;
  const double scale = static_cast<double>(line.in) / static_cast<double>(line.scaled);
  double position = scale * 0.5;
  if (line.first > kCounted) {
    position = (static_cast<double>(line.first) + 0.5) * scale;
  } else {
    for (std::int64_t x = 0; x < line.first; ++x) position += scale;
  }
  std::vector<std::size_t> pixels(static_cast<std::size_t>(line.count));
  for (std::size_t& pixel : pixels) {
    pixel = std::min(static_cast<std::size_t>(position), static_cast<std::size_t>(line.in - 1));
    position += scale;
  }
  return pixels;
}

}  // namespace headstart
