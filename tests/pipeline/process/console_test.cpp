// tests/pipeline/process/console_test.cpp
#include "pipeline/process/console.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

/// What `use` makes a console write.
template <typename Use>
std::string written(Verbosity verbosity, bool terminal, const Use& use) {
  const test::ScratchFolder scratch;
  const std::string file = (scratch / "log").string();
  std::FILE* stream = std::fopen(file.c_str(), "w");
  {
    Console console(verbosity, terminal, stream);
    use(console);
  }
  std::fclose(stream);
  return test::read_text(file);
}

TEST(Console, QuietKeepsWarningsOnly) {
  EXPECT_EQ(written(Verbosity::kQuiet, false,
                    [](Console& console) {
                      console.detail("detail");
                      console.note("note");
                      console.warn("careful");
                    }),
            "headstart: warning: careful\n");
}

TEST(Console, VerboseShowsDetails) {
  EXPECT_EQ(written(Verbosity::kVerbose, false, [](Console& console) { console.detail("detail"); }),
            "detail\n");
  EXPECT_EQ(written(Verbosity::kNormal, false, [](Console& console) { console.detail("detail"); }), "");
}

TEST(Console, WithoutATerminalWritesNoControlCharacters) {
  const std::string text = written(Verbosity::kNormal, false, [](Console& console) {
    for (std::uint64_t i = 0; i <= 100; ++i) console.progress("images", i, 100, "images", "");
    console.progress_done();
  });
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Console, WorkThatIsNotCountedHasPercentsAndTheTimeThatIsLeft) {
  const std::string text = written(Verbosity::kNormal, true, [](Console& console) {
    console.progress("sweep", 0.0, "");
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    console.progress("sweep", 0.01, "few");
  });
  EXPECT_NE(text.find(" 1 %, "), std::string::npos) << text;
  // 0.15 s for a hundredth: about 15 s are left, or more on a busy machine.
  const std::size_t left = text.find(" left, few");
  ASSERT_NE(left, std::string::npos) << text;
  EXPECT_EQ(text.find(" 1 %, 0 s"), std::string::npos) << text;
}

TEST(Console, ABarIsFullWhereMoreIsDoneThanWasExpected) {  // rows that were lost are computed again
  const std::string text = written(Verbosity::kNormal, true, [](Console& console) {
    console.progress("images", 0, 100, "images", "");
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // bars are redrawn every 100
    console.progress("images", 250, 100, "images", "");
  });
  EXPECT_NE(text.find("250/100 images"), std::string::npos) << text;
  EXPECT_EQ(text.find('.', text.find('[')), text.find('.', text.find(']'))) << "a cell is empty: " << text;
}

TEST(Console, FormatsDurations) {
  EXPECT_EQ(format_duration(0.4), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1m 00s");
  EXPECT_EQ(format_duration(185), "3m 05s");
  EXPECT_EQ(format_duration(3720), "1h 02m");
  EXPECT_EQ(format_duration(-1), "0 s");
}

TEST(Console, FormatsBytesInDecimalUnits) {
  EXPECT_EQ(format_bytes(870), "870 bytes");
  EXPECT_EQ(format_bytes(8'230'000), "8.2 MB");
  EXPECT_EQ(format_bytes(1'500'000'000), "1.5 GB");
}

}  // namespace
}  // namespace headstart
