// tests/memory/aligned_floats_test.cpp: floats in memory and in a file are the same to those who use them.
#include "memory/aligned_floats.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::ScratchFolder;

TEST(AlignedFloats, BeginOnACacheLine) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{17}, std::size_t{1} << 20U}) {
    AlignedFloats floats(count);
    EXPECT_EQ(floats.span().size(), count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(floats.span().data()) % 64, 0U);
  }
}

TEST(AlignedFloats, OfAFileKeepTheirValuesAndLeaveNothingInTheFolder) {
  const ScratchFolder scratch;
  AlignedFloats floats = AlignedFloats::in_file(3'000'000, scratch.path());
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << "a kill would leave it";
  ASSERT_EQ(floats.span().size(), 3'000'000U);
  EXPECT_TRUE(
      std::all_of(floats.span().begin(), floats.span().end(), [](float value) { return value == 0.0F; }));
  std::iota(floats.span().begin(), floats.span().end(), 0.0F);
  const AlignedFloats moved = std::move(floats);
  EXPECT_EQ(moved.span()[2'999'999], 2'999'999.0F);
  EXPECT_EQ(AlignedFloats::in_file(0, scratch.path()).span().size(), 0U);
}

// A file size limit stands for the full disk: both are found before anything is written.
TEST(AlignedFloats, WithoutRoomOnTheDiskAreAnErrorAtOnce) {
  const ScratchFolder scratch;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1 << 20, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(static_cast<void>(AlignedFloats::in_file(1 << 20, scratch.path())), std::system_error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_THROW(static_cast<void>(AlignedFloats::in_file(1, scratch / "missing")), std::system_error);
}

}  // namespace
}  // namespace headstart
