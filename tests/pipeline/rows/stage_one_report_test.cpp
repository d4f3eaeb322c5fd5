// tests/pipeline/rows/stage_one_report_test.cpp
#include "pipeline/rows/stage_one_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using ::testing::HasSubstr;

/// What `use` makes a report write, as in a file.
template <typename Use>
std::string reported(const Use& use) {
  const test::ScratchFolder scratch;
  const std::string file = (scratch / "log").string();
  std::FILE* const stream = std::fopen(file.c_str(), "w");
  {
    Console console(Verbosity::kNormal, false, stream);
    StageOneReport report(console);
    use(report);
  }
  std::fclose(stream);
  return test::read_text(file);
}

TEST(StageOneReport, CountsOverTheRunsOfAJob) {
  std::optional<JobProgress> job;
  reported([&](StageOneReport& report) {
    EXPECT_FALSE(report.has_job());
    report.set_job(JobProgress{10, {}});
    report.show({.done = 3, .total = 3, .cached = 2, .rejected = 1});
    report.end_run();
    report.show({.done = 1, .total = 7});
    report.show({.done = 7, .total = 7, .cached = 1});
    report.end_run();
    job = report.set_job(std::nullopt);
  });
  ASSERT_TRUE(job);
  EXPECT_EQ(job->before.done, 10U);
  EXPECT_EQ(job->before.total, 10U);
  EXPECT_EQ(job->before.cached, 3U);
  EXPECT_EQ(job->before.rejected, 1U);
}

TEST(StageOneReport, ARunBetweenTheRunsOfAJobDoesNotCount) {
  reported([](StageOneReport& report) {
    report.set_job(JobProgress{10, {}});
    report.show({.done = 3, .total = 3});
    report.end_run();
    const std::optional<JobProgress> job = report.set_job(std::nullopt);
    report.show({.done = 5, .total = 5});
    report.end_run();
    report.set_job(job);
    report.end_run();  // of a run without an image
    EXPECT_EQ(report.set_job(std::nullopt)->before.done, 3U);
  });
}

TEST(StageOneReport, NotesNarrowRangesOnce) {
  Extraction extraction;
  extraction.images.resize(3);
  EXPECT_EQ(reported([&](StageOneReport& report) { report.note_narrow_ranges(extraction); }), "");
  extraction.images[0].note = extraction.images[2].note = kNarrowRangeNote;
  const std::string text = reported([&](StageOneReport& report) {
    report.note_narrow_ranges(extraction);
    report.note_narrow_ranges(extraction);
  });
  EXPECT_THAT(text, HasSubstr("2 images of more than 8 bits"));
  EXPECT_EQ(text.find("--range LOW:HIGH"), text.rfind("--range LOW:HIGH"));
}

}  // namespace
}  // namespace headstart
