// pipeline/report/assets.cpp: the assembler copies both files into the read-only data, as it does with the
// weights.
#include "pipeline/report/assets.hpp"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the assembler's names
extern const char headstart_report_css_begin[];
extern const char headstart_report_css_end[];
extern const char headstart_report_js_begin[];
extern const char headstart_report_js_end[];
// NOLINTEND(readability-identifier-naming)
}

#define HEADSTART_EMBED(NAME, FILE)   \
  asm(".pushsection .rodata." NAME    \
      ", \"a\", @progbits\n"          \
      ".global " NAME "_begin\n" NAME \
      "_begin:\n"                     \
      ".incbin \"" FILE               \
      "\"\n"                          \
      ".global " NAME "_end\n" NAME   \
      "_end:\n"                       \
      ".popsection\n")

HEADSTART_EMBED("headstart_report_css", HEADSTART_REPORT_CSS);
HEADSTART_EMBED("headstart_report_js", HEADSTART_REPORT_JS);

namespace headstart {

std::string_view report_style() noexcept { return {headstart_report_css_begin, headstart_report_css_end}; }
std::string_view report_script() noexcept { return {headstart_report_js_begin, headstart_report_js_end}; }

}  // namespace headstart
