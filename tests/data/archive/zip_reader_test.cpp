// tests/data/archive/zip_reader_test.cpp: what the directory of a .zip names is there, whatever happened to
// the members.
#include "data/archive/zip_reader.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveEntry;
using test::ArchiveKind;
using ::testing::HasSubstr;

constexpr std::uint64_t kBytes = 1 << 20;

class ZipReaderTest : public ::testing::Test {
 protected:
  fs::path write(const std::vector<ArchiveEntry>& entries) {
    const fs::path file = scratch_ / "a.zip";
    test::write_archive(file, ArchiveKind::kZip, entries);
    return file;
  }
  static std::optional<ZipReader> open(const fs::path& file) {
    return ZipReader::open(FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC)));
  }
  static std::string text(const ZipReader& reader, std::uint64_t position) {
    const auto read = reader.read(position, kBytes);
    if (const auto* reject = std::get_if<Reject>(&read)) return "! " + reject->reason;
    const auto& bytes = std::get<std::vector<std::byte>>(read);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  test::ScratchFolder scratch_;
};

TEST_F(ZipReaderTest, ADamagedLocalHeaderCostsNoOtherMember) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 5; ++i)
    entries.push_back({std::to_string(i), std::string(300, static_cast<char>('a' + i))});
  const fs::path file = write(entries);
  const std::string whole = test::read_bytes(file);
  const std::size_t local = test::places_of(whole, "PK\3\4").at(2);
  int lost = 0;
  for (std::size_t byte = 0; byte < 30; ++byte) {  // the length of the header's fixed part
    std::string bytes = whole;
    bytes.at(local + byte) = static_cast<char>(bytes[local + byte] ^ 0xFF);
    test::write_bytes(file, bytes);
    const auto reader = open(file);
    ASSERT_TRUE(reader) << byte;
    ASSERT_EQ(reader->size(), 5U) << byte;
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(reader->member(i).name, entries[i].name) << byte;
      const std::string found = text(*reader, i);
      if (found == entries[i].content) continue;
      EXPECT_EQ(i, 2U) << byte;
      EXPECT_THAT(found, HasSubstr("! cannot be read: ")) << byte;
      ++lost;
    }
  }
  EXPECT_GE(lost, 4);  // the signature at least
}

TEST_F(ZipReaderTest, MembersAreReadInAnyOrderAndTwice) {
  const auto reader = open(write({{"a", "first"}, {"b", "second"}, {"c", "third"}}));
  ASSERT_TRUE(reader);
  for (const std::uint64_t position : {2U, 0U, 1U, 0U})
    EXPECT_EQ(text(*reader, position), (std::vector<std::string>{"first", "second", "third"})[position]);
}

TEST_F(ZipReaderTest, BackslashesPartNamesWhereWindowsStoredThem) {
  const fs::path file = write({{"cats\\1.jpg", "1"}});
  EXPECT_EQ(open(file)->member(0).name, "cats\\1.jpg");  // this writer says Unix
  std::string bytes = test::read_bytes(file);
  bytes.at(test::places_of(bytes, "PK\1\2").at(0) + 5) = 0;  // made by: MS-DOS
  test::write_bytes(file, bytes);
  EXPECT_EQ(open(file)->member(0).name, "cats/1.jpg");
}

TEST_F(ZipReaderTest, ANameThatIsMarkedAsUtf8AndIsNoneIsItsBytes) {
  const fs::path file =
      write({{"cat/caf\xC3\xA9.jpg", "first"}, {"cat/\xC3\xA8.jpg", "second"}, {"c", "third"}});
  const std::string whole = test::read_bytes(file);
  ASSERT_TRUE(open(file)->member(0).is_utf8);
  std::string bytes = whole;
  for (const std::size_t at : test::places_of(bytes, "\xC3\xA9")) bytes.replace(at, 2, "\xFF\xFE");
  test::write_bytes(file, bytes);
  auto reader = open(file);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->size(), 3U);
  EXPECT_EQ(reader->member(0).name, "cat/caf\xFF\xFE.jpg");
  EXPECT_EQ(reader->member(0).kind, ArchiveMember::Kind::kFile);
  EXPECT_FALSE(reader->member(0).is_utf8);
  EXPECT_EQ(reader->member(1).name, "cat/\xC3\xA8.jpg");
  EXPECT_TRUE(reader->member(1).is_utf8);
  for (const std::uint64_t i : {0U, 1U, 2U})
    EXPECT_EQ(text(*reader, i), (std::vector<std::string>{"first", "second", "third"})[i]);
}

TEST_F(ZipReaderTest, AnEncryptedMemberSaysSo) {
  const fs::path file = write({{"a", "first"}, {"b", "second"}});
  std::string bytes = test::read_bytes(file);
  for (const auto& [mark, flags] : {std::pair{"PK\1\2", std::size_t{8}}, std::pair{"PK\3\4", std::size_t{6}}})
    bytes.at(test::places_of(bytes, mark).at(0) + flags) |= 1;
  test::write_bytes(file, bytes);
  const auto reader = open(file);
  ASSERT_TRUE(reader);
  EXPECT_EQ(text(*reader, 0), "! cannot be read: it is encrypted");
  EXPECT_EQ(text(*reader, 1), "second");
}

TEST_F(ZipReaderTest, ADirectoryThatIsCutOrClaimsTooMuchIsNone) {
  const fs::path file = write({{"a", "first"}, {"b", "second"}});
  const std::string whole = test::read_bytes(file);
  test::write_bytes(file, whole.substr(0, whole.size() - 30));
  EXPECT_FALSE(open(file));
  std::string bytes = whole;
  const std::size_t end = test::places_of(bytes, "PK\5\6").back();
  for (const std::size_t count : {8U, 10U}) bytes.replace(end + count, 2, "\xFF\xFE");  // 65,279 entries
  test::write_bytes(file, bytes);
  EXPECT_FALSE(open(file));
}

}  // namespace
}  // namespace headstart
