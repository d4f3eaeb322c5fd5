// tests/memory/forgotten_name.cpp: an enum with a value that its to_string() forgets. CTest compiles this
// file and expects the compiler's error.
#include "memory/enum_names.hpp"

namespace headstart {

enum class Colour { kRed, kForgotten };

constexpr std::string_view to_string(Colour colour) noexcept {
  switch (colour) {
    case Colour::kRed:
      return "red";
  }
  return {};
}

static_assert(parse_name<Colour>("red") == Colour::kRed);

}  // namespace headstart
