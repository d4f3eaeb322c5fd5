// data/error.hpp: the one exception type of headstart, and the exit code that each kind of failure has.
// An expected bad item (a broken JPEG among thousands) is never an Error: it is a Reject, a row with a
// reason.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

/// Everything that headstart has: data/ image sets, features/ VGG16 and the cache, head/ the trained layers,
/// pipeline/ the stages wired together.
namespace headstart {

/// A failed run. what() is the line that main() prints behind "headstart: error: ": WHAT: WHERE: WHAT TO DO.
class Error : public std::runtime_error {
 public:
  /// What went wrong, as far as an exit code tells it.
  enum class Kind {
    kFailed,  ///< the run failed: exit code 1
    kUsage,   ///< wrong usage: exit code 2
    kData,    ///< the data does not allow it (no usable image, fewer than two classes): exit code 3
  };

  /// @param what    what failed, e.g. "cannot read the dataset"
  /// @param where   file, row, option, dataset or layer, as the user typed it
  /// @param advice  what the user can do about it
  Error(Kind kind, std::string_view what, std::string_view where, std::string_view advice);

  /// As it was made.
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// The process exit code for a kind: 1, 2 or 3.
[[nodiscard]] int exit_code(Error::Kind kind) noexcept;

/// Why one item was left out of a run. Part of the results (images.csv), not a failure of the run.
struct Reject {
  std::string reason;  ///< one line, e.g. "JPEG ends early"
  bool operator==(const Reject&) const = default;
};

/// "image.jpg" with control characters and invalid UTF-8 shown as "\xNN", so that a file name can never break
/// a line.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace headstart
