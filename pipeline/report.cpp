// pipeline/report.cpp
#include "pipeline/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pipeline/chart.hpp"

namespace headstart {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1d232b; --paper: #ffffff; --soft: #5d6875; --line: #d9dee4;
        --first: #0b62b8; --second: #c2410c; --cell: 11 98 184; --cell-ink: #0b2440; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ed; --paper: #14181d; --soft: #9aa5b1; --line: #333b44; --first: #6cb2ff; --second: #ff9a5c;
          --cell: 108 178 255; --cell-ink: #f2f7ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
       max-width: 72rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child, .text td { text-align: left; overflow-wrap: anywhere; }
th { font-weight: 600; }
.confusion td { text-align: center; min-width: 2.6rem; }
.confusion thead th { vertical-align: bottom; text-align: center; padding: .25rem .3rem; }
.confusion thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 12rem; }
.confusion td.hit { outline: 2px solid rgb(var(--cell)); outline-offset: -2px; }
.chart { width: 100%; max-width: 34rem; height: auto; }
.chart .grid { stroke: var(--line); } .chart text { fill: var(--soft); font-size: 12px; }
.chart .legend { fill: var(--ink); }
.chart path { fill: none; stroke-width: 2; } .chart path.first { stroke: var(--first); }
.chart path.second { stroke: var(--second); stroke-dasharray: 6 3; }
.chart circle.first { fill: var(--first); } .chart circle.second { fill: var(--second); }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } table, svg { break-inside: avoid; } }
)css";

std::string cells(const std::vector<std::string>& values, std::string_view tag) {
  std::string row = "<tr>";
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool heads_row = tag == "td" && i == 0;
    row += heads_row ? fmt::format("<th scope=\"row\">{}</th>", escape_html(values[i]))
                     : fmt::format("<{}{}>{}</{}>", tag, tag == "th" ? " scope=\"col\"" : "",
                                   escape_html(values[i]), tag);
  }
  return row + "</tr>\n";
}

std::string facts_table(const std::vector<Fact>& facts) {
  std::string html = "<div class=\"scroll\"><table class=\"text\"><tbody>\n";
  for (const auto& [name, value] : facts) html += cells({name, value}, "td");
  return html + "</tbody></table></div>\n";
}

std::string splits_table(const Report& report) {
  std::string html =
      "<div class=\"scroll\"><table><thead>" +
      cells({"split", "images", "loss", "accuracy", "top-5 accuracy", "macro F1", "calibration error"},
            "th") +
      "</thead><tbody>\n";
  for (const auto& [name, split] : report.splits) {
    const Metrics& m = split.metrics;
    html += cells(
        {name, fmt::format("{}", m.rows), fmt::format("{:.4f}", split.loss()),
         fmt::format("{:.4f}", m.accuracy), m.top5_accuracy ? fmt::format("{:.4f}", *m.top5_accuracy) : "-",
         fmt::format("{:.4f}", m.macro_f1), fmt::format("{:.4f}", m.expected_calibration_error)},
        "td");
  }
  return html + "</tbody></table></div>\n";
}

std::string table_section(const ReportTable& table) {
  std::string html = fmt::format("<h2>{}</h2>\n<div class=\"scroll\"><table>", escape_html(table.title));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (i == 0) html += "<thead>";
    html += cells(table.rows[i], i == 0 ? "th" : "td");
    if (i == 0) html += "</thead><tbody>\n";
  }
  return html + fmt::format("</tbody></table></div>\n<p class=\"soft\">{}</p>\n", escape_html(table.note));
}

std::string curves(const std::vector<EpochResult>& history) {
  ChartLine loss{"training loss", "first", {}};
  ChartLine val_loss{"validation loss", "second", {}};
  ChartLine accuracy{"training accuracy", "first", {}};
  ChartLine val_accuracy{"validation accuracy", "second", {}};
  for (const EpochResult& epoch : history) {
    loss.values.emplace_back(epoch.loss);
    val_loss.values.push_back(epoch.val_loss);
    accuracy.values.emplace_back(epoch.accuracy);
    val_accuracy.values.push_back(epoch.val_accuracy);
  }
  return "<div class=\"charts\">" +
         line_chart("Accuracy by epoch", "epoch, from 0", {accuracy, val_accuracy}, true) +
         line_chart("Loss by epoch", "epoch, from 0", {loss, val_loss}, true) + "</div>\n";
}

std::string classes_table(const Report& report, const Metrics& m) {
  std::string html = "<div class=\"scroll\"><table><thead>" +
                     cells({"class", "precision", "recall", "F1", "images"}, "th") + "</thead><tbody>\n";
  for (std::size_t i = 0; i < m.per_class.size(); ++i) {
    const ClassMetrics& c = m.per_class[i];
    html += cells({report.classes[i], fmt::format("{:.3f}", c.precision), fmt::format("{:.3f}", c.recall),
                   fmt::format("{:.3f}", c.f1), fmt::format("{}", c.support)},
                  "td");
  }
  return html + "</tbody></table></div>\n";
}

/// Rows are true classes, columns predictions; a cell's shade is its share of the row.
std::string confusion_table(const Report& report, const Metrics& m) {
  std::string html =
      "<div class=\"scroll\"><table class=\"confusion\"><caption>rows: the true class; columns: the "
      "prediction"
      "</caption><thead><tr><td></td>";
  for (const std::string& name : report.classes) {
    html += fmt::format("<th scope=\"col\"><span>{}</span></th>", escape_html(name));
  }
  html += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < m.confusion.size(); ++row) {
    const double support = static_cast<double>(std::max<std::int64_t>(m.per_class[row].support, 1));
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_html(report.classes[row]));
    for (std::size_t column = 0; column < m.confusion[row].size(); ++column) {
      const std::int64_t count = m.confusion[row][column];
      const double share = static_cast<double>(count) / support;
      html +=
          fmt::format("<td{} style=\"background: rgb(var(--cell) / {:.2f})\">{}</td>",
                      row == column ? " class=\"hit\"" : "", share * 0.75,
                      count == 0 ? std::string("<span class=\"soft\">0</span>") : fmt::format("{}", count));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
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

std::string report_html(const Report& report) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
      escape_html(report.title), kStyle);
  html += "<h2>Result</h2>\n" + splits_table(report);
  html +=
      "<p class=\"soft\">Loss is the mean cross-entropy plus the L2 terms. Calibration error is the expected "
      "gap between "
      "a prediction's probability and how often it is right, over 15 bins.</p>\n";
  for (const ReportTable& table : report.tables) html += table_section(table);
  if (!report.history.empty()) html += "<h2>Training</h2>\n" + curves(report.history);
  if (!report.splits.empty()) {
    const auto& [name, split] = report.splits.back();
    html += fmt::format("<h2>Confusion matrix, {} images</h2>\n", escape_html(name));
    html += confusion_table(report, split.metrics);
    html += fmt::format("<h2>Classes, {} images</h2>\n", escape_html(name)) +
            classes_table(report, split.metrics);
  }
  for (const ReportTable& table : report.inspection) html += table_section(table);
  if (!report.rejects.empty()) {
    html +=
        fmt::format("<h2>Rejected images ({})</h2>\n", report.rejects.size()) + facts_table(report.rejects);
  }
  html += "<h2>What ran</h2>\n" + facts_table(report.facts);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace headstart
