// pipeline/embedded_weights.cpp: the assembler copies the file into the read-only data; nothing is parsed or
// converted here.
#include "pipeline/embedded_weights.hpp"

extern "C" {
extern const std::byte
    headstart_embedded_weights_begin[];  // NOLINT(readability-identifier-naming): the assembler's names
extern const std::byte headstart_embedded_weights_end[];  // NOLINT(readability-identifier-naming)
}

asm(".pushsection .rodata.headstart_embedded_weights, \"a\", @progbits\n"
    ".balign 64\n"
    ".global headstart_embedded_weights_begin\n"
    "headstart_embedded_weights_begin:\n"
    ".incbin \"" HEADSTART_EMBEDDED_WEIGHTS
    "\"\n"
    ".global headstart_embedded_weights_end\n"
    "headstart_embedded_weights_end:\n"
    ".popsection\n");

namespace headstart {

std::span<const std::byte> embedded_weights() noexcept {
  return {headstart_embedded_weights_begin, headstart_embedded_weights_end};
}

Vgg16Weights load_weights(const std::filesystem::path& file) {
  return file.empty() ? read_keras_weights(embedded_weights(), "the embedded weights") : read_weights(file);
}

}  // namespace headstart
