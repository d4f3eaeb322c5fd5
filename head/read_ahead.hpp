// head/read_ahead.hpp: reads rows of a RowSource on a thread of its own while others are trained on.
#pragma once

#include <future>
#include <span>
#include <vector>

#include "head/row_source.hpp"

namespace headstart {

class ReadAhead {
 public:
  /// @param source  must outlive this
  explicit ReadAhead(const RowSource& source) : source_(source) {}

  /// The rows `now`, in that order; begins to read `then`, for the next call. Beyond what is returned this
  /// keeps the rows read ahead.
  /// @return valid until the next call
  /// @throws what reading `now` throws
  [[nodiscard]] FeatureRows next(std::span<const RowIndex> now, std::span<const RowIndex> then);

 private:
  const RowSource& source_;
  FeatureMatrix rows_;
  std::vector<RowIndex> expected_;
  std::future<FeatureMatrix> ahead_;
};

}  // namespace headstart
