// data/error.hpp: the only exception type of headstart, and the exit code of each kind of failure. An
// expected bad item (a broken JPEG among thousands) is never an Error. It is a Reject, which is listed with
// its reason.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

/// All of headstart: data/ reads image sets, features/ holds VGG16 and the cache, head/ holds the trained
/// layers, pipeline/ connects the stages.
namespace headstart {

/// A failed run. what() is the line that main() prints behind "headstart: error: ", in the form WHAT: WHERE:
/// WHAT TO DO.
class Error : public std::runtime_error {
 public:
  /// The kind of failure; it decides the exit code.
  enum class Kind {
    kFailed,  ///< the run failed: exit code 1
    kUsage,   ///< wrong usage: exit code 2
    kData,    ///< the data does not allow it (no usable image, fewer than two classes): exit code 3
  };

  /// @param what    what failed, e.g. "cannot read the dataset"
  /// @param where   file, row, option, dataset or layer, as the user typed it
  /// @param advice  what the user can do about it
  Error(Kind kind, std::string_view what, std::string_view where, std::string_view advice);

  /// The kind that the constructor was given.
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// The process exit code for a kind: 1, 2 or 3.
[[nodiscard]] int exit_code(Error::Kind kind) noexcept;

/// Why one item was left out of a run. A Reject is part of the results (images.csv), not a failure of the
/// run.
struct Reject {
  std::string reason;  ///< one line, e.g. "JPEG ends early"
  bool operator==(const Reject&) const = default;
};

/// `text` with control characters and invalid UTF-8 shown as "\xNN", so that a file name can't break a line.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace headstart
