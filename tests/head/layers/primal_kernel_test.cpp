// tests/head/layers/primal_kernel_test.cpp: every SIMD variant that this CPU runs against the plain loops.
#include "head/layers/primal_kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "head/random.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart::test {
namespace {

std::vector<float> randoms(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = 2.0F * random.uniform() - 1.0F;
  return values;
}

void copy_into(AlignedFloats& target, const std::vector<float>& values) {
  std::copy(values.begin(), values.end(), target.span().begin());
}

// A tile of 37 features with 0 to 6 entries each, of a batch of 5 rows.
struct TileExample {
  static constexpr std::size_t kFeatures = 37;
  static constexpr std::size_t kBatch = 5;

  explicit TileExample(std::size_t tile_width)
      : width(tile_width),
        random(tile_width),
        initial_kernel(randoms(kFeatures * width, random)),
        initial_velocity(randoms(kFeatures * width, random)),
        kernel(kFeatures * width),
        velocity(kFeatures * width),
        dz(kBatch * width) {
    copy_into(dz, randoms(kBatch * width, random));
    for (std::size_t i = 0; i < kFeatures; ++i) {
      for (std::size_t k = 0; k < i % 7; ++k) {
        entries.push_back({static_cast<std::int32_t>((i + k) % kBatch), random.uniform()});
      }
      offsets.push_back(static_cast<std::int64_t>(entries.size()));
    }
  }

  // The tile after one update, and its sum of squares.
  double update(const PrimalKernel& routines, bool nesterov) {
    copy_into(kernel, initial_kernel);
    copy_into(velocity, initial_velocity);
    return routines.update({.kernel = kernel.span(),
                            .velocity = velocity.span(),
                            .width = width,
                            .offsets = offsets,
                            .entries = entries,
                            .dz = dz.span(),
                            .learning_rate = 0.1F,
                            .momentum = 0.9F,
                            .two_l2 = 0.02F,
                            .nesterov = nesterov});
  }

  // The tile after several steps at once, and its sums.
  KernelNorms combine(const PrimalKernel& routines) {
    copy_into(kernel, initial_kernel);
    copy_into(velocity, initial_velocity);
    std::vector<WeightedEntry> weighted;
    for (const BatchEntry& entry : entries)
      weighted.push_back(
          {entry.row, -0.3F * entry.value, 0.1F * static_cast<float>(entry.row) * entry.value});
    return routines.combine({.kernel = kernel.span(),
                             .velocity = velocity.span(),
                             .width = width,
                             .offsets = offsets,
                             .entries = weighted,
                             .dz = dz.span(),
                             .kernel_from_kernel = -0.02F,
                             .kernel_from_velocity = 1.7F,
                             .velocity_from_kernel = -0.01F,
                             .velocity_from_velocity = 0.8F});
  }

  std::size_t width;
  Random random;
  std::vector<float> initial_kernel;
  std::vector<float> initial_velocity;
  AlignedFloats kernel;
  AlignedFloats velocity;
  AlignedFloats dz;
  std::vector<std::int64_t> offsets{0};
  std::vector<BatchEntry> entries;
};

TEST(PrimalKernelTest, ThereIsAVariantBesideTheReferenceAndTheBestIsOneOfThem) {
  const std::vector<PrimalKernel> kernels = all_primal_kernels();
  ASSERT_FALSE(kernels.empty());
  const PrimalKernel best = best_primal_kernel();
  bool found = false;
  for (const PrimalKernel& kernel : kernels) found = found || kernel.update == best.update;
  EXPECT_TRUE(found) << best.name;
  EXPECT_EQ(best_primal_kernel().update, best.update);  // listing them all changes nothing
}

TEST(PrimalKernelTest, EveryVariantUpdatesATileAsThePlainLoopDoes) {
  for (const std::size_t width : {16U, 32U, 48U, 64U, 80U, 112U}) {
    for (const bool nesterov : {false, true}) {
      TileExample expected(width);
      const double expected_norm = expected.update(reference_primal_kernel(), nesterov);
      ASSERT_GT(expected_norm, 1.0);
      for (const PrimalKernel& kernel : all_primal_kernels()) {
        SCOPED_TRACE(std::string(kernel.name) + ", width " + std::to_string(width));
        TileExample found(width);
        const double norm = found.update(kernel, nesterov);
        EXPECT_NEAR(norm, expected_norm, 1e-6 * expected_norm);
        for (std::size_t i = 0; i < found.kernel.span().size(); ++i) {
          // FMA rounds once where the plain loop rounds twice; values are of order one.
          ASSERT_NEAR(found.kernel.span()[i], expected.kernel.span()[i], 2e-6) << i;
          ASSERT_NEAR(found.velocity.span()[i], expected.velocity.span()[i], 2e-6) << i;
        }
      }
    }
  }
}

TEST(PrimalKernelTest, EveryVariantCombinesStepsAsThePlainLoopDoes) {
  for (const std::size_t width : {16U, 32U, 48U, 64U, 80U, 112U}) {
    TileExample expected(width);
    const KernelNorms norms = expected.combine(reference_primal_kernel());
    ASSERT_GT(norms.w_w, 1.0);
    ASSERT_GT(norms.v_v, 1.0);
    for (const PrimalKernel& kernel : all_primal_kernels()) {
      SCOPED_TRACE(std::string(kernel.name) + ", width " + std::to_string(width));
      TileExample found(width);
      const KernelNorms found_norms = found.combine(kernel);
      EXPECT_NEAR(found_norms.w_w, norms.w_w, 1e-6 * norms.w_w);
      EXPECT_NEAR(found_norms.v_v, norms.v_v, 1e-6 * norms.v_v);
      EXPECT_NEAR(found_norms.w_v, norms.w_v, 1e-6 * norms.w_w);
      for (std::size_t i = 0; i < found.kernel.span().size(); ++i) {
        ASSERT_NEAR(found.kernel.span()[i], expected.kernel.span()[i], 2e-6) << i;
        ASSERT_NEAR(found.velocity.span()[i], expected.velocity.span()[i], 2e-6) << i;
      }
    }
  }
}

// The bits of a row's product must not depend on whether it was planned.
TEST(PrimalKernelTest, APairOfProductsHasTheBitsOfTwo) {
  constexpr std::int32_t kFirst = 1000;
  const std::vector<std::int32_t> indices{1000, 1003, 1004, 1011, 1036};
  const std::vector<float> values{0.5F, -1.0F, 2.0F, 0.25F, 3.0F};
  std::vector<PrimalKernel> kernels = all_primal_kernels();
  kernels.push_back(reference_primal_kernel());
  for (const std::size_t width : {16U, 32U, 64U, 80U, 112U}) {
    Random random(width);
    const std::vector<float> weights = randoms(37 * width, random);
    const std::vector<float> velocity = randoms(37 * width, random);
    for (const PrimalKernel& kernel : kernels) {
      std::vector<float> expected_z(width, 0.5F);
      std::vector<float> expected_y(width, -0.5F);
      kernel.add_product({weights, width, kFirst, indices, values, expected_z});
      kernel.add_product({velocity, width, kFirst, indices, values, expected_y});
      std::vector<float> z(width, 0.5F);
      std::vector<float> y(width, -0.5F);
      kernel.add_products({weights, velocity, width, kFirst, indices, values, z, y});
      EXPECT_EQ(z, expected_z) << kernel.name << ", width " << width;
      EXPECT_EQ(y, expected_y) << kernel.name << ", width " << width;
    }
  }
}

TEST(PrimalKernelTest, EveryVariantAddsProductsAsThePlainLoopDoesAtAnyWidth) {
  constexpr std::int32_t kFirst = 1000;
  const std::vector<std::int32_t> indices{1000, 1003, 1004, 1011, 1036};
  const std::vector<float> values{0.5F, -1.0F, 2.0F, 0.25F, 3.0F};
  for (std::size_t width = 1; width <= 130; ++width) {
    Random random(width);
    const std::vector<float> weights = randoms(37 * width, random);
    const std::vector<float> before = randoms(width, random);
    std::vector<float> expected = before;
    reference_primal_kernel().add_product({weights, width, kFirst, indices, values, expected});
    ASSERT_NE(expected, before);
    for (const PrimalKernel& kernel : all_primal_kernels()) {
      std::vector<float> found = before;
      kernel.add_product({weights, width, kFirst, indices, values, found});
      for (std::size_t c = 0; c < width; ++c) {
        ASSERT_NEAR(found[c], expected[c], 4e-6) << kernel.name << ", width " << width << ", column " << c;
      }
    }
  }
}

}  // namespace
}  // namespace headstart::test
