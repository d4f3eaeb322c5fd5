// tests/pipeline/report_test.cpp
#include "pipeline/report.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

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
  EXPECT_NE(html.find("cats &amp; dogs"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("bad&#39;name.jpg"), std::string::npos);
  EXPECT_NE(html.find("日本"), std::string::npos);
}

TEST(Report, RequestsNothingFromAnywhere) {
  const std::string html = report_html(small_report());
  for (const char* request : {"http://", "https://", "src=", "@import", "url("}) {
    EXPECT_EQ(html.find(request), std::string::npos) << request;
  }
}

TEST(Report, ShowsMetricsCurvesConfusionAndRejects) {
  const std::string html = report_html(small_report());
  EXPECT_NE(html.find("0.7500"), std::string::npos);  // accuracy of 3 of 4
  EXPECT_NE(html.find("Loss by epoch"), std::string::npos);
  EXPECT_NE(html.find("Confusion matrix, validation images"), std::string::npos);
  EXPECT_NE(html.find("JPEG ends early"), std::string::npos);
}

TEST(Report, IsCompleteWithoutHistoryOrSplits) {
  const std::string html = report_html(Report{});
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace headstart
