// tests/pipeline/report/report_test.cpp: what tests/browser can't see in the page of one run.
#include "pipeline/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headstart {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Report small_report() {
  Report report;
  report.title = "headstart: <animals> & \"more\"";
  report.classes = {"cats & dogs", "<b>", "日本"};
  Matrix probabilities(4, 3);
  probabilities << 0.7F, 0.2F, 0.1F, 0.1F, 0.8F, 0.1F, 0.2F, 0.2F, 0.6F, 0.5F, 0.3F, 0.2F;
  const std::vector<std::int32_t> labels{0, 1, 2, 2};
  report.splits.emplace_back("validation", SplitMetrics{evaluate(probabilities, labels), 0.25});
  report.history = {{0, 1.5, 0.4, 1.6, 0.3, 0.001, 0.1}, {1, 1.1, 0.6, 1.4, 0.5, 0.001, 0.1}};
  report.rejects = {{"bad'name.jpg", "JPEG ends early"}};
  report.facts = {{"dataset", "somewhere"}};
  return report;
}

TEST(Report, EscapesEveryName) {
  const std::string html = report_html(small_report());
  EXPECT_THAT(html, HasSubstr("cats &amp; dogs"));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  EXPECT_THAT(html, HasSubstr("bad&#39;name.jpg"));
  EXPECT_THAT(html, HasSubstr("日本"));
}

TEST(Report, NamesNoAddress) {
  const std::string html = report_html(small_report());
  for (const char* request : {"https://", "src=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(request)));
  // The name of SVG's vocabulary, which scripts need to make pictures.
  for (auto at = html.find("http://"); at != std::string::npos; at = html.find("http://", at + 1))
    EXPECT_EQ(html.substr(at, 26), "http://www.w3.org/2000/svg");
}

TEST(Report, ShowsMetricsCurvesConfusionAndRejects) {
  const std::string html = report_html(small_report());
  EXPECT_THAT(html, HasSubstr("0.7500"));                                // accuracy of 3 of 4
  EXPECT_THAT(html, HasSubstr("<dt>Balanced accuracy</dt><dd>83.3 %"));  // mean of 1, 1 and 1/2
  EXPECT_THAT(html, HasSubstr("0.8333"));
  // Class 0 has one hit; class 2 one hit, and one image that is taken for class 0.
  EXPECT_THAT(
      html,
      HasSubstr(R"html(<td class="hit strong" style="background: rgb(var(--cell) / 1.00)">1</td>)html"));
  EXPECT_THAT(html,
              HasSubstr(R"html(<td class="" style="background: rgb(var(--cell) / 0.50)">1</td>)html"
                        R"html(<td class=" none" style="background: rgb(var(--cell) / 0.00)">0</td>)html"
                        R"html(<td class="hit" style="background: rgb(var(--cell) / 0.50)">1</td>)html"));
  EXPECT_THAT(html, HasSubstr("Loss by epoch"));
  EXPECT_THAT(html, HasSubstr("Confusion matrix, validation images"));
  EXPECT_THAT(html, HasSubstr("JPEG ends early"));
}

TEST(Report, IsCompleteWithoutHistoryOrSplits) { EXPECT_THAT(report_html(Report{}), HasSubstr("</html>")); }

TEST(Report, GivesAnIntervalAndNoAdviceThatWasFollowed) {
  Report report = small_report();
  // Wilson's interval of 3 of 4, from the formula by hand: 0.3006 to 0.9544.
  EXPECT_THAT(report_html(report), HasSubstr("between 30.1 % and 95.4 %"));
  report.splits.insert(report.splits.begin(), {"training", report.splits.front().second});
  report.splits.front().second.metrics.accuracy = 1.0;
  EXPECT_THAT(report_html(report), HasSubstr("headstart sweep"));
  report.searched = true;
  EXPECT_THAT(report_html(report), Not(HasSubstr("headstart sweep")));
}

TEST(Report, TrainingImagesAloneGiveNoIntervalAndAreNotTheResult) {
  Report report = small_report();
  report.splits.front().first = "training";
  EXPECT_THAT(report_html(report), Not(HasSubstr("95 % interval")));
  EXPECT_THAT(report_html(report), Not(HasSubstr("taken at their word")));
  EXPECT_THAT(report_html(report), HasSubstr("These are the images that it was trained on"));
  report.nested = NestedAccuracy{.mean = 0.764, .deviation = 0.032};
  EXPECT_THAT(report_html(report), HasSubstr("<dt>Nested accuracy</dt><dd>76.4 %"));
  EXPECT_THAT(report_html(report), HasSubstr("Report the nested accuracy"));
}

TEST(Report, ListsPairsWhereAMatrixWouldBeTooLarge) {
  Report report;
  constexpr int kClasses = 200;
  Matrix probabilities = Matrix::Zero(kClasses, kClasses);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kClasses; ++i) {
    report.classes.push_back("class " + std::to_string(i));
    labels.push_back(i);
    probabilities(i, i < 3 ? i + 1 : i) = 1.0F;
  }
  report.splits.emplace_back("test", SplitMetrics{evaluate(probabilities, labels), 0.0});
  const std::string html = report_html(report);
  EXPECT_THAT(html, Not(HasSubstr("class=\"confusion\"")));
  EXPECT_THAT(html, HasSubstr("The 3 most frequent mistakes"));
  EXPECT_THAT(html, HasSubstr("class 2"));
  EXPECT_LT(html.size(), 200'000U);
}

TEST(Report, AnImageWithoutAPictureIsNamed) {
  Report report = small_report();
  report.images[7] = {"a <gone> file.jpg", 1, "validation", "", 0, 0};
  report.mistakes = {{7, 0, 0.9, 0.1}};
  const std::string html = report_html(report);
  EXPECT_THAT(html, HasSubstr("no picture"));
  EXPECT_THAT(html, HasSubstr("a &lt;gone&gt; file.jpg"));
  EXPECT_THAT(html, HasSubstr("90.0 %"));
}

TEST(Report, SaysWhatItsMapLeavesOut) {
  Report report = small_report();
  report.images[3] = {"a.jpg", 2, "train", "", 0, 0};
  report.map = {{{3, 1.0F, 1.0F, true}}, 5000, 0.25};
  const std::string html = report_html(report);
  EXPECT_THAT(html, HasSubstr("hold 25 % of the variance"));
  EXPECT_THAT(html, HasSubstr("1 of 5000 images are drawn"));
  EXPECT_THAT(html, HasSubstr("x=\"380.0\" y=\"280.0\""));  // a single point spans nothing
}

}  // namespace
}  // namespace headstart
