// tests/head/search/search_rounds_test.cpp: which candidates go on, on how many images and for how long.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "head/search/search.hpp"
#include "tests/head/search/search_example.hpp"

namespace headstart::test {
namespace {

// Small sets keep the rounds that were asked for; large ones begin with a part and end with all.
TEST(SearchRoundsTest, GrowToAllImagesWithNoMoreStepsThanEightThousandImagesTake) {
  const SearchOptions options;
  for (const std::size_t images : {10U, 500U, 1000U}) {
    const std::vector<SearchRound> rounds = search_rounds(images, 72, options);
    ASSERT_EQ(rounds.size(), 3U);
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_EQ(rounds[r].images, images);
      EXPECT_EQ(rounds[r].epochs, options.epochs[r]);
    }
    EXPECT_EQ(rounds[1].candidates, 24U);
    EXPECT_EQ(rounds[2].candidates, 8U);
  }
  for (const std::size_t images : {1001U, 8000U, 70'000U, 2'000'000U}) {
    const std::vector<SearchRound> rounds = search_rounds(images, 72, options);
    EXPECT_EQ(rounds.back().images, images);
    EXPECT_LE(rounds.front().images, 4000U);
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_GE(rounds[r].epochs, std::min(5, options.epochs[r]));
      if (rounds[r].epochs > 5) {
        EXPECT_LE(static_cast<double>(rounds[r].images) * (rounds[r].epochs - 1), 8000.0 * options.epochs[r]);
      }
      if (r > 0) {
        EXPECT_GE(rounds[r].images, rounds[r - 1].images);
      }
    }
  }
}

TEST(SearchTest, AThirdOfTheCandidatesGoesOnAndLeads) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();  // 32
  const SearchResult result = search_in(example.problem, candidates, small_search());
  std::size_t later = 0;
  for (const CandidateScore& score : result.scores) later += score.round == 1 ? 1 : 0;
  EXPECT_EQ(later, (candidates.size() + 2) / 3);
  for (std::size_t i = 0; i < later; ++i) EXPECT_EQ(result.scores[i].round, 1) << i;
  for (std::size_t i = 1; i < later; ++i) EXPECT_GE(result.scores[i - 1].accuracy, result.scores[i].accuracy);
}

TEST(SearchBudgetTest, AShareTriesThatShareOfTheCandidatesAndListsTheRest) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();  // 32
  SearchOptions options = small_search();
  options.tried = 0.25;
  const SearchResult result = search_in(example.problem, candidates, options);
  EXPECT_EQ(result.scores.size(), 8U);
  EXPECT_EQ(result.not_tried.size(), 24U);
  for (const Candidate& candidate : candidates) {
    const auto tried =
        std::count_if(result.scores.begin(), result.scores.end(),
                      [&](const CandidateScore& score) { return score.candidate == candidate; });
    EXPECT_EQ(tried + std::count(result.not_tried.begin(), result.not_tried.end(), candidate), 1);
  }
  EXPECT_EQ(search_in(example.problem, candidates, options).scores.front().candidate,
            result.scores.front().candidate);
}

TEST(SearchBudgetTest, WithoutTimeATenthIsTriedAndOneGoesThrough) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();
  SearchOptions options = small_search();
  options.seconds = 0.0;
  const SearchResult result = search_in(example.problem, candidates, options);
  EXPECT_EQ(result.scores.size(), 4U);
  EXPECT_EQ(result.not_tried.size(), 28U);
  EXPECT_EQ(result.scores.front().round, 1);
  EXPECT_EQ(result.rounds.back().candidates, 1U);
}

// With few images a hidden layer may do worse than none, and better with all of them. A rate that is too low
// to learn stands for it here.
TEST(SearchRoundsTest, TheBestOfEachWidthGoesOnWhereMoreImagesMayChangeTheOrder) {
  SearchSpace space;
  space.poolings = {Pooling::kMaximum};
  space.transforms = {Transform::kUnit, Transform::kStandardize};
  space.hidden = {{}};
  space.rates = {0.3, 1.0, 3.0};
  std::vector<Candidate> candidates = candidates_of(space);
  const Candidate slow{{Pooling::kMaximum, Transform::kStandardize}, {9}, 1e-6, 1e-4};
  candidates.push_back(slow);
  SearchOptions options;
  options.epochs = {1, 1, 2};
  const auto rounds_of_slow = [&](int images) {
    const SearchExample example(images, 0);
    const SearchResult result = search_in(example.problem, candidates, options);
    EXPECT_EQ(result.rounds.back().candidates, 3U);
    return std::find_if(result.scores.begin(), result.scores.end(),
                        [&](const CandidateScore& score) { return score.candidate == slow; })
        ->round;
  };
  EXPECT_EQ(rounds_of_slow(60), 0);
  EXPECT_EQ(rounds_of_slow(1200), 2);
}

}  // namespace
}  // namespace headstart::test
