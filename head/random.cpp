// head/random.cpp
#include "head/random.hpp"

#include <utility>

namespace headstart {
namespace {

__extension__ using Uint128 = unsigned __int128;

// SplitMix64 (Steele, Lea and Flood, doi 10.1145/2660193.2660195), the seeding that xoshiro's authors
// recommend.
std::uint64_t split_mix(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

Random::Random(std::uint64_t seed) noexcept : state_{} {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

std::uint64_t Random::below(std::uint64_t bound) noexcept {
  // The high half of next() * bound is uniform if the low half's first (2^64 mod bound) values are refused.
  Uint128 product = static_cast<Uint128>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t refused = (0U - bound) % bound;
    while (static_cast<std::uint64_t>(product) < refused) product = static_cast<Uint128>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose) noexcept {
  std::uint64_t state = split_mix(seed) + purpose;
  return split_mix(state);
}

void shuffle(std::span<RowIndex> rows, Random& random) noexcept {
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
}

}  // namespace headstart
