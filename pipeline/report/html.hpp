// pipeline/report/html.hpp: text as HTML, and the tables of a page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// Replaces &, <, >, " and ' by entities.
[[nodiscard]] std::string escape_html(std::string_view text);

struct HtmlTable {
  std::vector<std::vector<std::string>> rows;  ///< the header first; plain texts, which this module escapes
  /// HTML before the first cell of each line but the header, or empty.
  std::vector<std::string> pictures = {};
  std::string_view css_class = {};
  bool sortable = false;  ///< by a click on a header, if scripts may run
};

/// A <table> in its own box, which scrolls if the page is too narrow.
[[nodiscard]] std::string html_table(const HtmlTable& table);

}  // namespace headstart
