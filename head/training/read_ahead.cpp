// head/training/read_ahead.cpp
#include "head/training/read_ahead.hpp"

#include <algorithm>

namespace headstart {

SparseRowsView ReadAhead::next(std::span<const RowIndex> now, std::span<const RowIndex> then) {
  rows_ = {};  // frees the last rows before new ones are read
  const bool expected =
      ahead_.valid() && std::equal(now.begin(), now.end(), expected_.begin(), expected_.end());
  if (ahead_.valid()) rows_ = ahead_.get();
  if (!expected) rows_ = source_.read(now);
  expected_.assign(then.begin(), then.end());
  if (!then.empty()) ahead_ = std::async(std::launch::async, [this] { return source_.read(expected_); });
  return rows_.view();
}

}  // namespace headstart
