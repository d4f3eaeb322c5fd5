// pipeline/report/html.hpp: text as HTML, and the tables of a page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// &, <, >, " and ' as entities.
[[nodiscard]] std::string escape_html(std::string_view text);

struct HtmlTable {
  std::vector<std::vector<std::string>> rows;  ///< the header first; texts, which are escaped
  std::vector<std::string> pictures =
      {};  ///< HTML before the first cell of each line but the header, or empty
  std::string_view css_class = {};
  bool sortable = false;  ///< by a click on a header, where scripts run
};

/// A <table> in a box of its own that scrolls where the page is too narrow.
[[nodiscard]] std::string html_table(const HtmlTable& table);

}  // namespace headstart
