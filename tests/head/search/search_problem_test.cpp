// tests/head/search/search_problem_test.cpp: parts of a problem.
#include "head/search/search_problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/head/search/search_example.hpp"

namespace headstart::test {
namespace {

TEST(SearchProblemTest, APartIsStratifiedAndPartOfALargerOne) {
  SearchExample example(60, 12);
  const auto rows_of = [&](std::size_t images) { return part_of(example.problem, images, 5); };
  SearchProblem before = rows_of(1);
  EXPECT_EQ(before.rows.size(), 1U);
  for (std::size_t images = 3; images <= 60; images += 3) {
    const SearchProblem part = rows_of(images);
    ASSERT_EQ(part.rows.size(), images);
    EXPECT_TRUE(std::includes(part.rows.begin(), part.rows.end(), before.rows.begin(), before.rows.end()));
    for (std::int32_t label = 0; label < kSearchClasses; ++label) {
      const auto is = [&](RowIndex row) { return example.labels[static_cast<std::size_t>(row)] == label; };
      const auto all = std::count_if(example.problem.rows.begin(), example.problem.rows.end(), is);
      const auto here = std::count_if(part.rows.begin(), part.rows.end(), is);
      EXPECT_NEAR(static_cast<double>(here), static_cast<double>(all * static_cast<long>(images)) / 60.0,
                  1.01);
    }
    for (std::size_t i = 0; i < images; ++i) EXPECT_EQ(part.folds[i], part.rows[i] % 4);
    for (std::size_t v = 0; v < part.views.size(); ++v)
      EXPECT_EQ(part.rows[part.view_images[v]], part.views[v] - 60);
    before = part;
  }
  EXPECT_EQ(rows_of(60).views.size(), 12U);
}

}  // namespace
}  // namespace headstart::test
