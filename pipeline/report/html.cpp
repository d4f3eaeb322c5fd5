// pipeline/report/html.cpp
#include "pipeline/report/html.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace headstart {
namespace {

/// Which columns hold words; the others hold numbers, which are aligned.
std::vector<bool> columns_of_words(const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> words(rows.empty() ? 0 : rows.front().size(), false);
  for (std::size_t line = 1; line < rows.size(); ++line) {
    for (std::size_t i = 0; i < rows[line].size(); ++i) {
      const std::string& cell = rows[line][i];
      char* end = nullptr;
      static_cast<void>(std::strtod(cell.c_str(), &end));
      const std::string_view unit(end);
      if (!cell.empty() && cell != "-" && !unit.empty() && unit != " %") words[i] = true;
    }
  }
  return words;
}

std::string header_cell(const std::string& text, bool words, bool sortable) {
  const std::string escaped = escape_html(text);
  return fmt::format(
      "<th scope=\"col\"{}>{}</th>", words ? " class=\"words\"" : "",
      sortable && !text.empty() ? "<button type=\"button\">" + escaped + "</button>" : escaped);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string html_table(const HtmlTable& table) {
  std::string classes(table.css_class);
  if (table.sortable) classes += classes.empty() ? "sortable" : " sortable";
  std::string html = fmt::format("<div class=\"scroll\"><table{}>",
                                 classes.empty() ? "" : fmt::format(" class=\"{}\"", classes));
  const std::vector<bool> words = columns_of_words(table.rows);
  const bool pictures = !table.pictures.empty();
  for (std::size_t line = 0; line < table.rows.size(); ++line) {
    const std::vector<std::string>& cells = table.rows[line];
    if (line == 0) {
      html += "<thead><tr>";
      if (pictures) html += "<td></td>";
      for (std::size_t i = 0; i < cells.size(); ++i) html += header_cell(cells[i], words[i], table.sortable);
      html += "</tr></thead><tbody>\n";
      continue;
    }
    html += "<tr>";
    if (pictures) html += "<td class=\"pictures\">" + table.pictures[line - 1] + "</td>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string text = escape_html(cells[i]);
      html += i == 0 ? "<th scope=\"row\">" + text + "</th>"
                     : std::string(words[i] ? "<td class=\"words\">" : "<td>") + text + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace headstart
