// tests/features/network/mutations.hpp: damages a file of weights at every place outside of its values, and
// holds the reader's checks to refusing it or finding what was there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/network/stored_weights.hpp"

namespace headstart::test {

using Find = std::function<StoredConvolutions(std::span<const std::byte>)>;

/// What `find` finds, or nothing where it refuses the file as readers do.
inline std::optional<StoredConvolutions> found_or_refused(const Find& find,
                                                          std::span<const std::byte> bytes) {
  try {
    return find(bytes);
  } catch (const Error&) {
    return std::nullopt;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

inline bool same_tensor(const StoredTensor& a, const StoredTensor& b) {
  return a.shape == b.shape && a.type == b.type && a.bytes.data() == b.bytes.data() &&
         a.bytes.size() == b.bytes.size();
}

inline bool same_convolutions(const StoredConvolutions& a, const StoredConvolutions& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_tensor(a[i].kernel, b[i].kernel) || a[i].axes != b[i].axes) return false;
    if (!a[i].bias || !b[i].bias || !same_tensor(*a[i].bias, *b[i].bias)) return false;
  }
  return true;
}

/// Which bytes are neither a kernel's nor a bias's.
inline std::vector<std::size_t> places_outside_of_values(std::span<const std::byte> bytes,
                                                         const StoredConvolutions& convolutions) {
  std::vector<std::pair<std::size_t, std::size_t>> values;  // from, to
  const auto add = [&](const StoredTensor& tensor) {
    const auto start = static_cast<std::size_t>(tensor.bytes.data() - bytes.data());
    values.emplace_back(start, start + tensor.bytes.size());
  };
  for (const StoredConvolution& convolution : convolutions) {
    add(convolution.kernel);
    add(convolution.bias.value());
  }
  values.emplace_back(bytes.size(), bytes.size());
  std::sort(values.begin(), values.end());
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const auto& [from, to] : values) {
    for (; place < from; ++place) places.push_back(place);
    place = std::max(place, to);
  }
  return places;
}

/// The characters up to `place`, others as dots.
inline std::string text_before(std::span<const std::byte> bytes, std::size_t place) {
  std::string text;
  for (std::size_t i = place < 60 ? 0 : place - 60; i <= place; ++i) {
    const auto character = std::to_integer<char>(bytes[i]);
    text += character >= ' ' && character <= '~' ? character : '.';
  }
  return text;
}

/// Ends the file at, and just behind, every such place: never accepted.
inline void expect_no_truncation_is_accepted(const std::vector<std::byte>& bytes, const Find& find) {
  const std::vector<std::size_t> places = places_outside_of_values(bytes, find(bytes));
  ASSERT_GT(places.size(), 1000U);
  for (const std::size_t place : places) {
    for (const std::size_t size : {place, place + 1}) {
      if (size == bytes.size()) continue;
      ASSERT_FALSE(found_or_refused(find, std::span(bytes).first(size))) << "accepted " << size << " bytes";
    }
  }
  ASSERT_FALSE(found_or_refused(find, std::span(bytes).first(bytes.size() - 1)));
}

/// Flips a bit of every such place: not all eight, which AddressSanitizer takes a minute for.
inline void expect_no_flip_gives_other_weights(std::vector<std::byte> bytes, const Find& find) {
  const StoredConvolutions before = find(bytes);
  std::size_t refused = 0;
  for (const std::size_t place : places_outside_of_values(bytes, before)) {
    const std::size_t bit = place * 5 % 8;
    const std::byte flip{static_cast<unsigned char>(1U << bit)};
    bytes[place] ^= flip;
    const auto found = found_or_refused(find, bytes);
    ASSERT_TRUE(!found || same_convolutions(*found, before))
        << "bit " << bit << " of byte " << place << ", behind '" << text_before(bytes, place) << "'";
    if (!found) ++refused;
    bytes[place] ^= flip;
  }
  EXPECT_GT(refused, 1000U);
}

/// Overwrites several such places with random bytes, many times: whatever is found, its values lie in the
/// file.
inline void expect_noise_is_survived(std::vector<std::byte> bytes, const Find& find) {
  const StoredConvolutions before = find(bytes);
  const std::vector<std::size_t> places = places_outside_of_values(bytes, before);
  std::uint32_t state = 7;
  const auto next = [&state](std::size_t below) {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::size_t>(state >> 8U) % below;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::pair<std::size_t, std::byte>> overwritten;
    for (std::size_t count = 1 + next(6); count > 0; --count) {
      const std::size_t place = places[next(places.size())];
      overwritten.emplace_back(place, bytes[place]);
      bytes[place] = static_cast<std::byte>(next(256));
    }
    if (const auto found = found_or_refused(find, bytes)) {
      for (const StoredConvolution& convolution : *found) {
        for (const StoredTensor* const tensor : {&convolution.kernel, &convolution.bias.value()}) {
          ASSERT_GE(tensor->bytes.data(), bytes.data());
          ASSERT_LE(tensor->bytes.data() + tensor->bytes.size(), bytes.data() + bytes.size());
          ASSERT_EQ(tensor->bytes.size(), element_count(tensor->shape) * bytes_of(tensor->type));
        }
      }
    }
    while (!overwritten.empty()) {
      bytes[overwritten.back().first] = overwritten.back().second;
      overwritten.pop_back();
    }
  }
}

}  // namespace headstart::test
