// head/training/read_ahead.hpp: reads rows of a RowSource on its own thread while other rows are trained on.
#pragma once

#include <future>
#include <span>
#include <vector>

#include "head/training/row_source.hpp"

namespace headstart {

class ReadAhead {
 public:
  /// @param source  must outlive this
  explicit ReadAhead(const RowSource& source) : source_(source) {}

  /// Returns the rows `now`, in that order, and begins to read the rows `then` for the next call. Besides the
  /// returned rows, only the rows read ahead are in memory.
  /// @return valid until the next call
  /// @throws the exceptions of reading `now`
  [[nodiscard]] SparseRowsView next(std::span<const RowIndex> now, std::span<const RowIndex> then);

 private:
  const RowSource& source_;
  SparseRows rows_;
  std::vector<RowIndex> expected_;
  std::future<SparseRows> ahead_;
};

}  // namespace headstart
