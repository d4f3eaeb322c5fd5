// data/dataset/manifest.cpp: see manifest.hpp.
#include "data/dataset/manifest.hpp"

namespace headstart {

const char* to_string(Split split) noexcept {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
    case Split::kUnassigned:
      break;
  }
  return "";
}

}  // namespace headstart
