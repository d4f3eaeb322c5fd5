// tests/data/archive/image_reader_test.cpp: members by the order in which they are asked for, and archives
// that change under the reader.
#include "data/archive/image_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>

#include "data/archive/archive_listing.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveEntry;
using test::ArchiveKind;
using ::testing::HasSubstr;

/// What `reader` gives: the bytes as text, or "! reason".
std::string text(ImageReader& reader, const ImageSource& source) {
  const auto read = reader.read(source);
  if (const auto* reject = std::get_if<Reject>(&read)) return "! " + reject->reason;
  const auto& bytes = std::get<std::vector<std::byte>>(read);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ImageReaderTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, ArchiveKind kind, const std::vector<ArchiveEntry>& entries) {
    test::write_archive(scratch_ / name, kind, entries);
    return scratch_ / name;
  }
  static std::vector<ImageSource> sources(const fs::path& file) {
    const ArchiveListing listing = list_archive(file);
    std::vector<ImageSource> result;
    for (const ListedMember& member : listing.files) result.push_back(listing.source(member));
    return result;
  }
  test::ScratchFolder scratch_;
};

TEST_F(ImageReaderTest, ReadsFilesMembersAndProblems) {
  test::write_bytes(scratch_ / "file.jpg", "of a file");
  const fs::path archive = write("a.tar", ArchiveKind::kTar,
                                 {{"folder/", "", ArchiveEntry::Kind::kFolder}, {"m.jpg", "of a member"}});
  ImageReader reader;
  EXPECT_EQ(text(reader, {scratch_ / "file.jpg"}), "of a file");
  EXPECT_EQ(text(reader, sources(archive).at(0)), "of a member");
  EXPECT_EQ(text(reader, {archive, {}, "the tail is lost"}), "! the tail is lost");
  EXPECT_THAT(text(reader, {scratch_ / "missing.jpg"}), HasSubstr("! cannot be opened"));
}

TEST_F(ImageReaderTest, PassesOverNothingMoreOnceItIsStopped) {
  const fs::path archive = write("a.tar", ArchiveKind::kTar, {{"1.jpg", "one"}, {"2.jpg", "two"}});
  const std::vector<ImageSource> members = sources(archive);
  ImageReader reader;
  const std::atomic<bool> stop{true};
  const auto read = reader.read(members.at(1), &stop);
  ASSERT_TRUE(std::holds_alternative<Reject>(read));
  EXPECT_EQ(std::get<Reject>(read).reason, "was not reached");
  EXPECT_EQ(text(reader, members.at(1)), "two") << "which is no damage of the archive";
}

/// Any order, with repetitions and over several archives.
TEST_F(ImageReaderTest, AnyOrderGivesTheRightMembers) {
  std::vector<std::pair<ImageSource, std::string>> all;
  for (const ArchiveKind kind : {ArchiveKind::kTar, ArchiveKind::kTarGz, ArchiveKind::kZip}) {
    const std::string name = "archive" + std::to_string(static_cast<int>(kind));
    std::vector<ArchiveEntry> entries;
    for (int i = 0; i < 5; ++i) entries.push_back({std::to_string(i), name + " member " + std::to_string(i)});
    int i = 0;
    for (const ImageSource& source : sources(write(name, kind, entries)))
      all.emplace_back(source, entries[static_cast<std::size_t>(i++)].content);
  }
  ASSERT_EQ(all.size(), 15U);
  EXPECT_TRUE(rc::check([&] {
    ImageReader reader;
    for (const auto& [source, content] :
         *rc::gen::container<std::vector<std::pair<ImageSource, std::string>>>(rc::gen::elementOf(all)))
      RC_ASSERT(text(reader, source) == content);
  }));
}

TEST_F(ImageReaderTest, AnArchiveThatWasReplacedGivesReasonsOnly) {
  const fs::path file = write("a.tar", ArchiveKind::kTar, {{"0.jpg", "old 0"}, {"1.jpg", "old 1"}});
  const auto listed = sources(file);
  // The same names at the same places, but other images, as shards that were made again have.
  write("new.tar", ArchiveKind::kTar, {{"0.jpg", "new 0"}, {"1.jpg", "new 1"}});
  ImageReader reader;
  EXPECT_EQ(text(reader, listed[0]), "old 0");
  fs::rename(scratch_ / "new.tar", file);
  EXPECT_EQ(text(reader, listed[1]), "old 1");  // from the file that is open
  ImageReader late;
  EXPECT_EQ(text(late, listed[1]), "! its archive has changed since it was listed");
  EXPECT_EQ(text(reader, listed[0]), "! its archive has changed since it was listed");
  fs::remove(file);
  ImageReader later;
  EXPECT_THAT(text(later, listed[0]), HasSubstr("! its archive cannot be opened"));
  EXPECT_THAT(text(later, listed[1]), HasSubstr("! its archive cannot be opened"));
}

TEST_F(ImageReaderTest, AnArchiveThatIsWrittenToWhileItIsReadGivesReasonsFromThereOn) {
  const fs::path file = write("a.tar", ArchiveKind::kTar, {{"0.jpg", "0"}, {"1.jpg", "1"}});
  const auto listed = sources(file);
  ImageReader reader;
  EXPECT_EQ(text(reader, listed[0]), "0");
  test::write_bytes(file, test::read_bytes(file).substr(0, 1024));
  EXPECT_EQ(text(reader, listed[1]), "! its archive has changed since it was listed");
}

TEST_F(ImageReaderTest, AMemberOfAnotherNameAtThatPlaceIsNotRead) {
  const fs::path file = write("a.tar", ArchiveKind::kTar, {{"0.jpg", "0"}, {"1.jpg", "1"}});
  auto listed = sources(file);
  std::swap(listed[0].member->position, listed[1].member->position);
  ImageReader reader;
  EXPECT_EQ(text(reader, listed[0]), "! its archive has changed since it was listed");
  listed[1].member->position = 7;
  listed[1].member->name = "1.jpg";
  EXPECT_EQ(text(reader, listed[1]), "! is not in its archive any more");
}

TEST_F(ImageReaderTest, MembersBehindADamagedOneOfAZipAreRead) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 20; ++i)
    entries.push_back({std::to_string(i), "content of " + std::to_string(i) + std::string(300, 'x')});
  const fs::path file = write("a.zip", ArchiveKind::kZip, entries);
  std::string bytes = test::read_bytes(file);
  const std::vector<std::size_t> data = test::zip_data_of(bytes);
  ASSERT_EQ(data.size(), 20U);
  for (const std::size_t i : {3U, 4U, 9U}) bytes.replace(data[i], 8, std::string(8, '\xFF'));
  test::write_bytes(file, bytes);
  ImageReader reader;
  const auto listed = sources(file);
  ASSERT_EQ(listed.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::string found = text(reader, listed[i]);
    if (i == 3 || i == 4 || i == 9) {
      EXPECT_THAT(found, HasSubstr("! cannot be read: "));
    } else {
      EXPECT_EQ(found, entries[i].content);
    }
  }
}

/// A reader that passes over data goes by the size that is claimed, one that reads it by where it ends: which
/// members there are may not depend on which were read.
TEST_F(ImageReaderTest, AWrongSizeInAZipWithoutItsDirectoryLeavesTheMembersBehindItInTheirPlaces) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 6; ++i)
    entries.push_back({std::to_string(i), "content of " + std::to_string(i) + std::string(300, 'x')});
  const fs::path file = write("a.zip", ArchiveKind::kZip, entries);
  const std::string whole = test::read_bytes(file);
  const std::vector<std::size_t> local = test::places_of(whole, "PK\3\4");
  for (const bool has_size_behind : {true, false}) {
    std::string bytes = whole.substr(0, whole.find("PK\1\2") + 24);  // libarchive wants to see so much
    bytes.at(local.at(1) + 6) = has_size_behind ? 8 : 0;
    bytes.at(local[1] + 18) = static_cast<char>(local[3] - local[1] - 40);  // up to within member 2
    test::write_bytes(file, bytes);
    const auto listed = sources(file);
    ASSERT_EQ(listed.size(), 6U);
    ImageReader reader;
    for (std::size_t i = 0; i < listed.size(); ++i) {
      const std::string expected = i == 1 && !has_size_behind ? "! cannot be read: " : entries[i].content;
      EXPECT_THAT(text(reader, listed[i]), testing::StartsWith(expected));
    }
  }
}

TEST_F(ImageReaderTest, TheLostTailOfACompressedTarIsNotReadAgainForEachMember) {
  std::vector<ArchiveEntry> entries;
  std::uint32_t seed = 1;
  for (int i = 0; i < 50; ++i) {
    std::string noise(100'000, '\0');
    for (char& c : noise) c = static_cast<char>((seed = seed * 1664525U + 1013904223U) >> 24U);
    entries.push_back({std::to_string(i), noise});
  }
  const fs::path whole = write("a.tar.gz", ArchiveKind::kTarGz, entries);
  auto listed = sources(whole);
  ASSERT_EQ(listed.size(), 50U);
  test::write_bytes(scratch_ / "cut.tar.gz", test::read_bytes(whole).substr(0, 2'050'000));
  const ArchiveListing cut = list_archive(scratch_ / "cut.tar.gz");
  EXPECT_THAT(cut.damages, testing::ElementsAre(HasSubstr("members may be missing behind 20: ")));
  ImageReader reader;
  for (std::size_t i = 0; i < 50; ++i) {
    listed[i].file = cut.file;
    listed[i].member->archive = cut.stamp;
    if (i < 20) {
      EXPECT_EQ(text(reader, listed[i]), entries[i].content);
    } else {
      EXPECT_THAT(text(reader, listed[i]), HasSubstr("! cannot be read: ")) << i;
    }
  }
}

TEST_F(ImageReaderTest, ReadingOrderKeepsFilesAndSortsMembersByArchiveAndPlace) {
  const auto member = [](const char* archive, std::uint64_t position) {
    return ImageSource{archive, MemberSource{position, std::to_string(position), {}}, {}};
  };
  const std::vector<ImageSource> sources{member("b", 2), {"z.jpg"}, member("a", 10),
                                         member("a", 9), {"y.jpg"}, member("b", 1)};
  EXPECT_THAT(reading_order(sources), testing::ElementsAre(1, 4, 3, 2, 5, 0));
  EXPECT_EQ(name_of(sources[0]), "b/2");
  EXPECT_EQ(name_of(sources[1]), "z.jpg");
}

}  // namespace
}  // namespace headstart
