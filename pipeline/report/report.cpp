// pipeline/report/report.cpp
#include "pipeline/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "pipeline/report/assets.hpp"
#include "pipeline/report/chart.hpp"
#include "pipeline/report/feature_map.hpp"
#include "pipeline/report/html.hpp"

namespace headstart {
namespace {

// Above this number the matrix is too large to read, so pairs are listed.
constexpr std::size_t kMostConfusionClasses = 50;
constexpr std::size_t kMostConfusions = 50;

// ---- images ---------------------------------------------------------------------------------------------

const ShownImage& image_of(const Report& report, ImageNumber image) { return report.images.at(image); }

const std::string& class_of(const Report& report, std::int32_t label) {
  return report.classes[static_cast<std::size_t>(label)];
}

/// The picture, as a reference to the copy that the page holds.
std::string picture(const Report& report, ImageNumber number) {
  const ShownImage& image = image_of(report, number);
  const std::string name = escape_html(image.name);
  if (image.jpeg.empty())
    return fmt::format("<span class=\"no-picture\" title=\"{}\">no picture</span>", name);
  return fmt::format(
      "<svg class=\"picture\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title><use "
      "href=\"#p{}\"/></svg>",
      image.width, image.height, name, name, number);
}

/// Every picture once; other parts of the page refer to it.
std::string picture_symbols(const Report& report) {
  std::string html =
      "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs>\n";
  for (const auto& [number, image] : report.images) {
    if (image.jpeg.empty()) continue;
    html += fmt::format(
        "<symbol id=\"p{0}\" viewBox=\"0 0 {1} {2}\"><image width=\"{1}\" height=\"{2}\" "
        "href=\"data:image/jpeg;base64,{3}\"/></symbol>\n",
        number, image.width, image.height, image.jpeg);
  }
  return html + "</defs></svg>\n";
}

// ---- result ---------------------------------------------------------------------------------------------

struct Interval {
  double low;
  double high;
};

/// Wilson's 95 % interval of a share (Wilson 1927, doi 10.1080/01621459.1927.10502953).
Interval wilson_interval(double share, std::int64_t of) {
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(of);
  const double centre = share + z * z / (2 * n);
  const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {(centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)};
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string splits_table(const Report& report) {
  HtmlTable table{{{"split", "images", "loss", "accuracy", "balanced accuracy", "top-5 accuracy", "macro F1",
                    "calibration error"}}};
  for (const auto& [name, split] : report.splits) {
    const Metrics& m = split.metrics;
    table.rows.push_back({name, fmt::format("{}", m.rows), fmt::format("{:.4f}", split.loss()),
                          fmt::format("{:.4f}", m.accuracy), fmt::format("{:.4f}", m.balanced_accuracy),
                          m.top5_accuracy ? fmt::format("{:.4f}", *m.top5_accuracy) : "-",
                          fmt::format("{:.4f}", m.macro_f1),
                          fmt::format("{:.4f}", m.expected_calibration_error)});
  }
  return html_table(table);
}

std::string figure(const std::string& name, const std::string& value, const std::string& small) {
  return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", escape_html(name),
                     escape_html(value), escape_html(small));
}

/// Pairs with mistakes, the most first.
std::vector<ConfusionCount> confusions(const Metrics& metrics) {
  std::vector<ConfusionCount> pairs;
  std::copy_if(metrics.confusion.begin(), metrics.confusion.end(), std::back_inserter(pairs),
               [](const ConfusionCount& pair) { return pair.label != pair.predicted; });
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const ConfusionCount& a, const ConfusionCount& b) { return a.rows > b.rows; });
  return pairs;
}

std::int64_t images_of(const Metrics& metrics, std::int32_t label) {
  return metrics.per_class[static_cast<std::size_t>(label)].support;
}

/// The share of its class's images that a pair has; 0 where the class has none.
double share_of(const Metrics& metrics, const ConfusionCount& pair) {
  const std::int64_t images = std::max<std::int64_t>(images_of(metrics, pair.label), 1);
  return static_cast<double>(pair.rows) / static_cast<double>(images);
}

double mean_confidence(const Metrics& metrics) {
  double sum = 0.0;
  for (const CalibrationBin& bin : metrics.calibration) sum += static_cast<double>(bin.rows) * bin.confidence;
  return sum / static_cast<double>(metrics.rows);
}

/// Whether there are no images but those of the training, whose accuracy says little about others.
bool has_only_training(const Report& report) { return report.splits.back().first == "training"; }

/// The meaning of the numbers, in sentences.
std::vector<std::string> findings(const Report& report) {
  const auto& [name, split] = report.splits.back();
  const Metrics& m = split.metrics;
  std::vector<std::string> sentences;
  if (has_only_training(report)) {
    sentences.emplace_back("These are the images that it was trained on: other images will do worse.");
    sentences.emplace_back(report.nested
                               ? "Report the nested accuracy: every image was judged by a search without it."
                               : "`headstart sweep --nested` measures images that it has not seen.");
    return sentences;
  }
  const auto right = static_cast<std::int64_t>(std::lround(m.accuracy * static_cast<double>(m.rows)));
  const Interval interval = wilson_interval(m.accuracy, m.rows);
  sentences.push_back(fmt::format(
      "{} of {} {} images are labelled right. {} the true rate between {} and {} (95 % interval).", right,
      m.rows, name, m.rows < 1000 ? "So few leave" : "That puts", percent(interval.low),
      percent(interval.high)));
  if (report.splits.front().first == "training" && report.splits.size() > 1) {
    const double training = report.splits.front().second.metrics.accuracy;
    if (training - m.accuracy > 0.1) {
      sentences.push_back(fmt::format(
          "On the images that it was trained on it reaches {}: it knows those by heart and carries over less "
          "of it. {}",
          percent(training),
          report.searched
              ? "More images, or fewer and clearer classes, would help most."
              : "`headstart sweep` looks for a head that does better on images that it has not seen."));
    }
  }
  const double confidence = mean_confidence(m);
  if (m.expected_calibration_error > 0.05 && std::abs(confidence - m.accuracy) > 0.03) {
    sentences.push_back(
        fmt::format("It is {}: its probabilities say {} on average, and {} are right.{}",
                    confidence > m.accuracy ? "too sure of itself" : "less sure of itself than it could be",
                    percent(confidence), percent(m.accuracy),
                    report.searched ? "" : " `headstart sweep` calibrates them."));
  } else {
    sentences.push_back(
        fmt::format("Its probabilities can be taken at their word: {} on average, and {} are right.",
                    percent(confidence), percent(m.accuracy)));
  }
  if (const std::vector<ConfusionCount> pairs = confusions(m); !pairs.empty() && pairs.front().rows > 1) {
    const ConfusionCount& most = pairs.front();
    sentences.push_back(fmt::format("Its most frequent mistake: {} taken for {}, {} of {} images.",
                                    class_of(report, most.label), class_of(report, most.predicted), most.rows,
                                    images_of(m, most.label)));
  }
  return sentences;
}

/// Turns text between backquotes into code. @param text  HTML
std::string with_code(std::string text) {
  for (const std::string_view tag : {"<code>", "</code>", "<code>", "</code>"}) {
    const std::size_t at = text.find('`');
    if (at == std::string::npos) break;
    text.replace(at, 1, tag);
  }
  return text;
}

std::string result(const Report& report) {
  if (report.splits.empty()) return "";
  const auto& [name, split] = report.splits.back();
  const Metrics& m = split.metrics;
  std::string html = "<dl class=\"figures\">\n";
  if (report.nested)
    html += figure("Nested accuracy", percent(report.nested->mean),
                   fmt::format("+- {} over the folds", percent(report.nested->deviation)));
  html += figure("Accuracy", percent(m.accuracy), fmt::format("of {} {} images", m.rows, name));
  html += figure("Balanced accuracy", percent(m.balanced_accuracy), "mean of the classes' recalls");
  if (m.top5_accuracy)
    html += figure("Top-5 accuracy", percent(*m.top5_accuracy), "right among the first five");
  html += figure("Macro F1", fmt::format("{:.3f}", m.macro_f1), "mean over the classes");
  html += figure("Calibration error", percent(m.expected_calibration_error), "of its probabilities");
  html += "</dl>\n<ul class=\"findings\">\n";
  for (const std::string& sentence : findings(report))
    html += "<li>" + with_code(escape_html(sentence)) + "</li>\n";
  return html + "</ul>\n" + splits_table(report) +
         "<p class=\"soft\">Loss is the mean cross-entropy plus the L2 terms. Calibration error is the "
         "expected gap "
         "between a prediction's probability and how often it is right, over 15 bins.</p>\n";
}

// ---- sections -------------------------------------------------------------------------------------------

std::string facts_table(const std::vector<Fact>& facts) {
  std::string html = "<div class=\"scroll\"><table class=\"text\"><tbody>\n";
  for (const auto& [name, value] : facts) {
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
  }
  return html + "</tbody></table></div>\n";
}

std::string report_table(const Report& report, const ReportTable& table) {
  std::string html = "<p class=\"soft\">" + escape_html(table.note) + "</p>\n";
  if (!table.charts.empty()) {
    html += "<div class=\"charts\">\n";
    for (const std::string& chart : table.charts) html += chart;
    html += "</div>\n";
  }
  if (table.rows.size() == 1) return html + "<p>None.</p>\n";
  HtmlTable drawn{table.rows};
  drawn.sortable = table.rows.size() > 2;
  for (const std::vector<ImageNumber>& images : table.images) {
    std::string& cell = drawn.pictures.emplace_back();
    for (const ImageNumber image : images) cell += picture(report, image);
  }
  return html + html_table(drawn);
}

std::string data_section(const Report& report) {
  HtmlTable table{{{"class"}}, {}, {}, true};
  constexpr std::array<std::pair<const char*, std::size_t ClassImages::*>, 3> kSplits{
      {{"training", &ClassImages::training},
       {"validation", &ClassImages::validation},
       {"test", &ClassImages::test}}};
  const auto is_empty = [&](std::size_t ClassImages::*split) {
    return std::all_of(report.class_images.begin(), report.class_images.end(),
                       [&](const ClassImages& images) { return images.*split == 0; });
  };
  for (const auto& [name, split] : kSplits) {
    if (!is_empty(split)) table.rows.front().emplace_back(name);
  }
  for (std::size_t c = 0; c < report.class_images.size(); ++c) {
    const ClassImages& images = report.class_images[c];
    std::vector<std::string>& cells = table.rows.emplace_back();
    cells.push_back(report.classes[c]);
    for (const auto& [name, split] : kSplits) {
      if (!is_empty(split)) cells.push_back(fmt::format("{}", images.*split));
    }
    std::string& cell = table.pictures.emplace_back();
    for (const ImageNumber image : images.examples) cell += picture(report, image);
  }
  std::string html = html_table(table);
  if (report.duplicates.empty()) return html;
  constexpr std::size_t kMost = 30;
  html += fmt::format("<h3>The same image more than once ({})</h3>\n", report.duplicates.size());
  HtmlTable copies{{{"files of the same bytes", "labels"}}, {}, "text"};
  for (const std::vector<ImageNumber>& set : report.duplicates) {
    if (copies.rows.size() > kMost) break;
    std::vector<std::string> names;
    std::vector<std::string> labels;
    for (const ImageNumber image : set) {
      const ShownImage& shown = image_of(report, image);
      names.push_back(shown.name);
      const std::string& label = class_of(report, shown.label);
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
    copies.pictures.push_back(picture(report, set.front()));
    copies.rows.push_back(
        {fmt::format("{}", fmt::join(names, ", ")),
         labels.size() > 1 ? fmt::format("differ: {}", fmt::join(labels, ", ")) : labels.front()});
  }
  html += html_table(copies);
  if (report.duplicates.size() > kMost)
    html += fmt::format("<p class=\"soft\">{} more are not shown.</p>\n", report.duplicates.size() - kMost);
  return html;
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
  return "<div class=\"charts\">" + line_chart("Accuracy by epoch", "epoch", {accuracy, val_accuracy}, true) +
         line_chart("Loss by epoch", "epoch", {loss, val_loss}, true) + "</div>\n";
}

/// Rows are true classes, columns predictions; a cell's shade is its share of the row.
std::string confusion_table(const Report& report, const Metrics& m) {
  std::string html =
      "<div class=\"scroll\"><table class=\"confusion\"><caption>rows: the true class; columns: the "
      "prediction</caption><thead><tr><td></td>";
  for (const std::string& name : report.classes)
    html += fmt::format("<th scope=\"col\"><span>{}</span></th>", escape_html(name));
  html += "</tr></thead><tbody>\n";
  auto next = m.confusion.begin();
  for (std::int32_t row = 0; std::cmp_less(row, report.classes.size()); ++row) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_html(class_of(report, row)));
    for (std::int32_t column = 0; std::cmp_less(column, report.classes.size()); ++column) {
      ConfusionCount pair{row, column, 0};
      if (next != m.confusion.end() && next->label == row && next->predicted == column) pair = *next++;
      const double share = share_of(m, pair);
      std::string classes = row == column ? "hit" : "";
      if (pair.rows == 0) classes += " none";
      if (share > 0.55) classes += " strong";
      html += fmt::format("<td class=\"{}\" style=\"background: rgb(var(--cell) / {:.2f})\">{}</td>", classes,
                          share, pair.rows);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string confusion_pairs(const Report& report, const Metrics& m) {
  HtmlTable table{{{"class", "taken for", "images", "share"}}, {}, {}, true};
  for (const ConfusionCount& pair : confusions(m)) {
    if (table.rows.size() > kMostConfusions) break;
    table.rows.push_back({class_of(report, pair.label), class_of(report, pair.predicted),
                          fmt::format("{}", pair.rows), fmt::format("{:.3f}", share_of(m, pair))});
  }
  return fmt::format(
             "<p class=\"soft\">The {} most frequent mistakes; a matrix of {} classes is too large to "
             "read.</p>\n",
             table.rows.size() - 1, report.classes.size()) +
         html_table(table);
}

std::string classes_table(const Report& report, const Metrics& m) {
  HtmlTable table{{{"class", "precision", "recall", "F1", "images"}}, {}, {}, true};
  for (std::size_t i = 0; i < m.per_class.size(); ++i) {
    const ClassMetrics& c = m.per_class[i];
    table.rows.push_back({report.classes[i], fmt::format("{:.3f}", c.precision),
                          fmt::format("{:.3f}", c.recall), fmt::format("{:.3f}", c.f1),
                          fmt::format("{}", c.support)});
  }
  return html_table(table) +
         "<p class=\"soft\">Precision: how many of those labelled so are. Recall: how many of the class are "
         "found. F1: "
         "their harmonic mean. Press a heading to sort.</p>\n";
}

std::string gallery(const Report& report, const std::vector<ShownPrediction>& predictions) {
  std::string html = "<ul class=\"gallery\">\n";
  for (const ShownPrediction& prediction : predictions) {
    const ShownImage& image = image_of(report, prediction.image);
    const bool right = prediction.predicted == image.label;
    html += "<li><div class=\"head\">" + picture(report, prediction.image) + "<div class=\"words\">";
    html += fmt::format("<div><span class=\"{}\">{}</span> {:.1f} %</div>", right ? "good" : "bad",
                        escape_html(class_of(report, prediction.predicted)), prediction.probability * 100);
    if (!right) {
      html += fmt::format("<div>is {} ({:.1f} %)</div>", escape_html(class_of(report, image.label)),
                          prediction.label_probability * 100);
    }
    html += fmt::format("<div class=\"name\">{}</div></div></div>", escape_html(image.name));
    if (!prediction.neighbours.empty()) {
      html += "<div class=\"near\">nearest training images, by cosine<div>";
      for (const ShownNeighbour& near : prediction.neighbours) {
        html += fmt::format("<figure>{}<figcaption>{}<br>{:.2f}</figcaption></figure>",
                            picture(report, near.image),
                            escape_html(class_of(report, image_of(report, near.image).label)), near.cosine);
      }
      html += "</div></div>";
    }
    html += "</li>\n";
  }
  return html + "</ul>\n";
}

/// A part of the page, and its name in the navigation.
struct Section {
  std::string id;
  std::string heading;
  std::string html;
};

std::vector<Section> sections(const Report& report) {
  std::vector<Section> all;
  const auto add = [&](std::string id, std::string heading, std::string html) {
    if (!html.empty()) all.push_back({std::move(id), std::move(heading), std::move(html)});
  };
  add("result", "Result", result(report));
  const auto add_tables = [&](const char* id, const std::vector<ReportTable>& tables) {
    for (std::size_t i = 0; i < tables.size(); ++i)
      add(fmt::format("{}{}", id, i + 1), tables[i].title, report_table(report, tables[i]));
  };
  add_tables("table", report.tables);
  if (!report.class_images.empty()) add("images", "Images", data_section(report));
  if (!report.history.empty()) add("training", "Training", curves(report.history));
  if (!report.splits.empty()) {
    const auto& [name, split] = report.splits.back();
    const Metrics& m = split.metrics;
    add("confusion", fmt::format("Confusion matrix, {} images", name),
        report.classes.size() <= kMostConfusionClasses ? confusion_table(report, m)
                                                       : confusion_pairs(report, m));
    add("classes", fmt::format("Classes, {} images", name), classes_table(report, m));
    add("calibration", fmt::format("Reliability, {} images", name),
        "<p class=\"soft\">Bars: how often predictions of a confidence are right. On the dashed line "
        "probabilities mean "
        "what they say; the short lines are the gaps to it. Below: how many images there are of each "
        "confidence.</p>\n<div class=\"charts\">" +
            reliability_chart("Right, by confidence", m.calibration) + "</div>\n");
    if (!report.mistakes.empty()) {
      add("mistakes", fmt::format("Most confident mistakes, {} images", name),
          gallery(report, report.mistakes));
    }
    if (!report.hits.empty())
      add("hits", fmt::format("Least confident hits, {} images", name), gallery(report, report.hits));
  }
  if (!report.map.points.empty()) {
    std::string note = fmt::format(
        "<p class=\"soft\">Images that the network finds alike lie close together: the features, averaged "
        "over positions and at unit length, on their two principal components, which hold {:.0f} % of the "
        "variance.",
        report.map.variance_share * 100);
    if (report.map.points.size() < report.map.images)
      note += fmt::format(" {} of {} images are drawn.", report.map.points.size(), report.map.images);
    add("map", "Map of the features", note + "</p>\n" + feature_map_html(report));
  }
  add_tables("inspection", report.inspection);
  if (!report.rejects.empty())
    add("rejects", fmt::format("Rejected images ({})", report.rejects.size()), facts_table(report.rejects));
  add("ran", "What ran", facts_table(report.facts));
  return all;
}

}  // namespace

std::string report_html(const Report& report) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>\n{1}</style>\n</head>\n<body>\n",
      escape_html(report.title), report_style());
  html += picture_symbols(report);
  html += "<header><h1>" + escape_html(report.title) + "</h1>\n";
  const std::vector<Section> all = sections(report);
  html += "<nav aria-label=\"Sections\"><ul>\n";
  for (const Section& section : all) {
    const std::size_t comma = section.heading.find(", ");
    html += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id,
                        escape_html(section.heading.substr(0, comma)));
  }
  html += "</ul></nav></header>\n<main>\n";
  for (const Section& section : all) {
    html +=
        fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-heading\"><h2 id=\"{0}-heading\">{1}</h2>\n",
                    section.id, escape_html(section.heading));
    html += section.html + "</section>\n";
  }
  return html + fmt::format("</main>\n<script>\n{}</script>\n</body>\n</html>\n", report_script());
}

}  // namespace headstart
