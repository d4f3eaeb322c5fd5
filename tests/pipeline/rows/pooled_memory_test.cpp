// tests/pipeline/rows/pooled_memory_test.cpp: pooled rows of any size have a place, or an error says which.
#include "pipeline/rows/pooled_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "data/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::ScratchFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(PooledMemory, RowsOfAFileAreAsThoseOfMemory) {
  const ScratchFolder scratch;
  for (const bool in_file : {false, true}) {
    DenseRows rows = make_pooled_rows(5, 3, in_file ? scratch.path() : std::filesystem::path());
    rows.row(4)[2] = 7.0F;
    EXPECT_EQ(rows.view().rows(), 5U);
    EXPECT_EQ(rows.view().row(4)[2], 7.0F);
  }
}

TEST(PooledMemory, TheRoomOnTheDiskIsCheckedBeforeItIsNeeded) {
  const ScratchFolder scratch;
  const auto available = static_cast<std::int64_t>(std::filesystem::space(scratch.path()).available);
  const std::int64_t too_much = std::max(bytes_for_rows(), available) + (std::int64_t{1} << 40);
  EXPECT_NO_THROW(check_room_for_pooled_rows(bytes_for_rows(), scratch / "out"));
  try {
    check_room_for_pooled_rows(too_much, scratch / "yet" / "to" / "be" / "made");
    FAIL() << "there is room";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kData);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("of disk are free"), HasSubstr("-o on a larger disk")));
  }
  EXPECT_THROW(static_cast<void>(make_pooled_rows(1U << 30U, 1 << 20, scratch.path())), Error);
}

}  // namespace
}  // namespace headstart
