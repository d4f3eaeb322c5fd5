// tests/data/archive/archive_test.cpp: real archives, whole and damaged.
#include "data/archive/archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <optional>

#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveEntry;
using test::ArchiveKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum ArchiveEntry::Kind;

constexpr std::uint64_t kLimit = std::uint64_t{1} << 24;
const std::vector<ArchiveKind> kAllKinds = {ArchiveKind::kTar,    ArchiveKind::kPax,      ArchiveKind::kTarGz,
                                            ArchiveKind::kTarZst, ArchiveKind::kTarBz2,   ArchiveKind::kTarXz,
                                            ArchiveKind::kZip,    ArchiveKind::kZipStored};

/// Bytes that don't compress, as those of images don't.
std::string noise(std::size_t bytes, std::uint32_t seed) {
  std::string text(bytes, '\0');
  for (char& c : text) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24U);
  }
  return text;
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Everything that a reader gives, in order.
struct Contents {
  std::vector<std::string> names;  ///< of files
  std::map<std::string, std::string> contents;
  std::vector<std::string> rejects;  ///< "name: reason"
  std::vector<std::string> damages;
  std::vector<ArchiveMember> others;
};

Contents contents_of(const fs::path& file, bool read = true) {
  Contents result;
  auto opened = ArchiveReader::open(file);
  if (const auto* reject = std::get_if<Reject>(&opened)) {
    result.damages.push_back(reject->reason);
    return result;
  }
  auto& reader = std::get<ArchiveReader>(opened);
  std::uint64_t position = 0;
  while (true) {
    auto next = reader.next();
    if (std::holds_alternative<ArchiveEnd>(next)) return result;
    if (const auto* damage = std::get_if<ArchiveDamage>(&next)) {
      result.damages.push_back(damage->reason);
      if (damage->is_end) return result;
      continue;
    }
    const auto& member = std::get<ArchiveMember>(next);
    EXPECT_EQ(member.position, position++);
    if (member.kind != ArchiveMember::Kind::kFile) {
      result.others.push_back(member);
      continue;
    }
    result.names.push_back(member.name);
    if (!read) continue;
    const auto bytes = reader.read(kLimit);
    if (const auto* reject = std::get_if<Reject>(&bytes)) {
      result.rejects.push_back(member.name + ": " + reject->reason);
    } else {
      result.contents[member.name] = text_of(std::get<std::vector<std::byte>>(bytes));
    }
  }
}

class ArchiveTest : public ::testing::Test {
 protected:
  fs::path write(ArchiveKind kind, const std::vector<ArchiveEntry>& entries) {
    const fs::path file = scratch_ / "archive";
    test::write_archive(file, kind, entries);
    return file;
  }
  test::ScratchFolder scratch_;
};

TEST_F(ArchiveTest, GivesNamesAndBytesOfEveryKindWhateverTheFileIsCalled) {
  const std::string large = noise(3'000'000, 1);
  for (const ArchiveKind kind : kAllKinds) {
    const Contents found =
        contents_of(write(kind, {{"b/one.jpg", "1"}, {"a/two.jpg", large}, {"three", "333"}}));
    EXPECT_THAT(found.names, ElementsAre("b/one.jpg", "a/two.jpg", "three"));
    EXPECT_EQ(found.contents.at("b/one.jpg"), "1");
    EXPECT_TRUE(found.contents.at("a/two.jpg") == large);
    EXPECT_EQ(found.contents.at("three"), "333");
    EXPECT_THAT(found.damages, IsEmpty());
    EXPECT_THAT(found.rejects, IsEmpty());
  }
}

TEST_F(ArchiveTest, MembersNeedNotBeRead) {
  for (const ArchiveKind kind : kAllKinds) {
    const Contents found =
        contents_of(write(kind, {{"a", noise(100'000, 1)}, {"b", "2"}, {"c", "3"}}), false);
    EXPECT_THAT(found.names, ElementsAre("a", "b", "c"));
    EXPECT_THAT(found.damages, IsEmpty());
  }
}

TEST_F(ArchiveTest, NamesAreNormalisedAndThoseThatLeadOutAreUnsafe) {
  const Contents found = contents_of(write(ArchiveKind::kTar, {{"./", "", kFolder},
                                                               {"./a//b/./c.jpg", "x"},
                                                               {"/etc/passwd", "x"},
                                                               {"a/../../b", "x"},
                                                               {"..", "", kFolder},
                                                               {"a..b/..c", "x"},
                                                               {"link", "a", kSymbolicLink},
                                                               {"hard", "a..b/..c", kHardLink},
                                                               {"fifo", "", kFifo},
                                                               {"folder/", "", kFolder}}));
  EXPECT_THAT(found.names, ElementsAre("a/b/c.jpg", "a..b/..c"));
  std::vector<std::pair<std::string, ArchiveMember::Kind>> others;
  for (const ArchiveMember& member : found.others) others.emplace_back(member.name, member.kind);
  using Kind = ArchiveMember::Kind;
  EXPECT_THAT(others, ElementsAre(std::pair("", Kind::kFolder), std::pair("", Kind::kUnsafe),
                                  std::pair("", Kind::kUnsafe), std::pair("", Kind::kUnsafe),
                                  std::pair("link", Kind::kOther), std::pair("hard", Kind::kOther),
                                  std::pair("fifo", Kind::kOther), std::pair("folder", Kind::kFolder)));
}

TEST_F(ArchiveTest, NamesSurviveInTheirBytes) {
  const std::string utf8 = "\xC3\xA4\xE2\x82\xAC.jpg";
  for (const ArchiveKind kind : kAllKinds)
    EXPECT_THAT(contents_of(write(kind, {{utf8, "x"}})).names, ElementsAre(utf8));
  const std::string decomposed = "e\xCC\x81.jpg";
  for (const ArchiveKind kind : kAllKinds) {
    const bool is_zip = kind == ArchiveKind::kZip || kind == ArchiveKind::kZipStored;
    EXPECT_THAT(contents_of(write(kind, {{decomposed, "x"}})).names,
                ElementsAre(is_zip ? "\xC3\xA9.jpg" : decomposed));
  }
  const std::string latin1 = "\xE4\xFF.jpg";
  EXPECT_THAT(contents_of(write(ArchiveKind::kTar, {{latin1, "x"}})).names, ElementsAre(latin1));
  const std::string long_name = std::string(300, 'd') + "/" + std::string(200, 'n');
  for (const ArchiveKind kind : kAllKinds)
    EXPECT_THAT(contents_of(write(kind, {{long_name, "x"}})).names, ElementsAre(long_name));
}

TEST_F(ArchiveTest, WhatIsNoArchiveIsSaidAtOnce) {
  const auto reason = [](const fs::path& file) { return std::get<Reject>(ArchiveReader::open(file)).reason; };
  const fs::path file = scratch_ / "archive.tar";
  EXPECT_THAT(reason(file), HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(reason(scratch_.path()), HasSubstr("is not a regular file"));
  const fs::path fifo = scratch_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(reason(fifo), HasSubstr("is not a regular file"));
  for (const std::string& bytes :
       {std::string(), std::string("text"), noise(5000, 7), std::string("\x1f\x8b\x08")}) {
    test::write_bytes(file, bytes);
    EXPECT_THAT(reason(file), HasSubstr("is no archive: "));
    EXPECT_FALSE(is_archive(file));
  }
  test::write_bytes(file, std::string(10240, '\0'));  // a .tar without members
  EXPECT_THAT(contents_of(file).names, IsEmpty());
  EXPECT_FALSE(is_archive(file));
  EXPECT_TRUE(is_archive(write(ArchiveKind::kTarGz, {{"a", "1"}})));
}

TEST_F(ArchiveTest, AMemberAboveTheLimitIsRejectedAndTheNextOneRead) {
  for (const ArchiveKind kind : kAllKinds) {
    auto opened = ArchiveReader::open(
        write(kind, {{"a", std::string(1001, 'a')}, {"b", std::string(1000, 'b')}, {"c", ""}}));
    auto& reader = std::get<ArchiveReader>(opened);
    static_cast<void>(reader.next());
    EXPECT_THAT(std::get<Reject>(reader.read(1000)).reason, HasSubstr("more than the limit of 1000"));
    static_cast<void>(reader.next());
    EXPECT_EQ(std::get<std::vector<std::byte>>(reader.read(1000)).size(), 1000U);
    static_cast<void>(reader.next());
    EXPECT_EQ(std::get<Reject>(reader.read(1000)).reason, "is empty");
  }
}

/// The header of a .tar member, as POSIX has it.
std::string tar_header(const std::string& name, const std::string& octal_size) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(124, octal_size);
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::string digits(6, '0');
  for (std::size_t i = 6; i-- > 0; sum /= 8) digits[i] = static_cast<char>('0' + sum % 8);
  put(148, digits + '\0' + ' ');
  return header;
}

TEST_F(ArchiveTest, AClaimedSizeTakesNoMemory) {
  const fs::path file = scratch_ / "bomb.tar";
  test::write_bytes(file, tar_header("claims 8 GiB", "77777777777") + "few");
  auto opened = ArchiveReader::open(file);
  auto& reader = std::get<ArchiveReader>(opened);
  ASSERT_TRUE(std::holds_alternative<ArchiveMember>(reader.next()));
  EXPECT_THAT(std::get<Reject>(reader.read(std::uint64_t{1} << 30)).reason,
              HasSubstr("has 8589934591 bytes, more than the limit of 1073741824"));

  // Below the limit: the claim is a terabyte, and nothing of the kind is allocated before it turns out false.
  test::write_bytes(file, tar_header("claims 7 GiB", "70000000000") + "few");
  opened = ArchiveReader::open(file);
  ASSERT_TRUE(std::holds_alternative<ArchiveMember>(reader.next()));
  EXPECT_THAT(std::get<Reject>(std::get<ArchiveReader>(opened).read(std::uint64_t{1} << 50)).reason,
              HasSubstr("cannot be read: "));
}

TEST_F(ArchiveTest, ADamagedHeaderCostsItsMemberOnly) {
  const fs::path file =
      write(ArchiveKind::kTar, {{"a", noise(3000, 1)}, {"b", noise(3000, 2)}, {"c", noise(3000, 3)}});
  std::string bytes = test::read_bytes(file);
  bytes[512 + 3072 + 3] ^= 1;  // within the name of b
  test::write_bytes(file, bytes);
  const Contents found = contents_of(file);
  EXPECT_THAT(found.names, ElementsAre("a", "c"));
  EXPECT_TRUE(found.contents.at("c") == noise(3000, 3));
  EXPECT_THAT(found.damages, testing::Contains(HasSubstr("Damaged tar archive")));
}

TEST_F(ArchiveTest, AWrongChecksumInAZipIsARejectAndTheNextMemberIsRead) {
  const fs::path file =
      write(ArchiveKind::kZipStored,
            {{"a", std::string(500, 'a')}, {"b", std::string(500, 'b')}, {"c", std::string(500, 'c')}});
  std::string bytes = test::read_bytes(file);
  bytes[bytes.find("bbbb") + 100] = 'x';
  test::write_bytes(file, bytes);
  const Contents found = contents_of(file);
  EXPECT_THAT(found.names, ElementsAre("a", "b", "c"));
  EXPECT_THAT(found.rejects, ElementsAre(HasSubstr("b: cannot be read: CRC error")));
  EXPECT_EQ(found.contents.at("c"), std::string(500, 'c'));
}

TEST_F(ArchiveTest, ANameThatCannotBeReadIsADamageAndTheNextMemberIsRead) {
  const fs::path file = write(ArchiveKind::kZip, {{"a", "1"}, {"caf\xC3\xA9", "2"}, {"c", "3"}});
  std::string bytes = test::read_bytes(file);
  for (const std::size_t at : test::places_of(bytes, "\xC3\xA9")) bytes.replace(at, 2, "\xFF\xFE");
  test::write_bytes(file, bytes.substr(0, test::places_of(bytes, "PK\1\2").at(0)));  // without its directory
  const Contents found = contents_of(file);
  EXPECT_THAT(found.names, ElementsAre("a", "c"));
  EXPECT_THAT(found.damages, testing::Contains(HasSubstr("name of a member is not UTF-8")));
  EXPECT_THAT(found.others, IsEmpty());
}

TEST_F(ArchiveTest, ANameThatEndsWithinACharacterIsNoEndOfTheProcessWhateverFailedBefore) {
  const fs::path file = write(ArchiveKind::kZip, {{"a", "1"}, {"caf\xC3\xA9", "2"}, {"c", "3"}});
  std::string bytes = test::read_bytes(file);
  for (const std::size_t at : test::places_of(bytes, "\xC3\xA9")) bytes.replace(at, 2, "x\xC3");
  bytes.resize(test::places_of(bytes, "PK\1\2").at(0));  // without its directory
  for (const std::size_t header : test::places_of(bytes, "PK\3\4")) bytes[header + 7] &= ~8;  // "is UTF-8"
  test::write_bytes(file, bytes);
  errno = ENOMEM;  // libarchive takes it for its own where a name cannot be converted
  auto opened = ArchiveReader::open(file);
  auto& reader = std::get<ArchiveReader>(opened);
  std::vector<std::string> names;
  while (true) {
    errno = ENOMEM;
    const auto next = reader.next();
    const auto* member = std::get_if<ArchiveMember>(&next);
    if (member == nullptr) break;  // the directory that is missing
    names.push_back(member->name);
  }
  EXPECT_THAT(names, ElementsAre("a", "cafx\xC3", "c"));
}

TEST_F(ArchiveTest, TheStampChangesWithTheFile) {
  const fs::path file = write(ArchiveKind::kTar, {{"a", "1"}});
  auto opened = ArchiveReader::open(file);
  const auto& reader = std::get<ArchiveReader>(opened);
  const FileStamp before = reader.stamp();
  EXPECT_EQ(before, reader.stamp());
  test::write_bytes(file, test::read_bytes(file) + "x");
  EXPECT_NE(before, reader.stamp());
}

/// Wherever an archive is cut, and wherever a byte is changed: no crash, no member with other bytes than its
/// own (for formats that have checksums over the data), and the same members whether they are read or passed
/// over.
class DamagedArchiveTest : public ArchiveTest, public ::testing::WithParamInterface<ArchiveKind> {
 protected:
  static constexpr int kMembers = 6;
  static bool is_zip() { return GetParam() == ArchiveKind::kZip || GetParam() == ArchiveKind::kZipStored; }
  static bool is_plain() {
    return GetParam() == ArchiveKind::kTar || GetParam() == ArchiveKind::kPax || is_zip();
  }
  /// Damage can cost all there is: the block that it is in.
  static bool is_of_large_blocks() {
    return GetParam() == ArchiveKind::kTarBz2 || GetParam() == ArchiveKind::kTarXz;
  }
  static std::string name(int i) { return "class/" + std::to_string(i) + ".jpg"; }
  /// Behind gzip and zstd the last 64 to 128 KiB before the damage are lost, and behind bzip2 and xz 900 kB
  /// and more: there members are large enough to tell.
  static std::string content(int i) {
    const std::size_t bytes = 700 + 500 * static_cast<std::size_t>(i);
    return noise(is_plain() || is_of_large_blocks() ? bytes : 100 * bytes, static_cast<std::uint32_t>(i));
  }
  /// About so many places over `bytes`, at odd distances.
  static std::size_t step(const std::string& bytes) { return bytes.size() / 120 | 1U; }

  std::string whole() {
    std::vector<ArchiveEntry> entries;
    for (int i = 0; i < kMembers; ++i) entries.push_back({name(i), content(i)});
    return test::read_bytes(write(GetParam(), entries));
  }

  /// What is read is checked; returns how many members were right.
  int check(const std::string& bytes, bool has_checksum, const std::string& what) {
    const fs::path file = scratch_ / "damaged";
    test::write_bytes(file, bytes);
    const Contents found = contents_of(file);
    const Contents listed = contents_of(file, false);
    int right = 0;
    for (int i = 0; i < kMembers; ++i) {
      const auto member = found.contents.find(name(i));
      if (member == found.contents.end()) continue;
      const bool is_right = member->second == content(i);
      EXPECT_TRUE(is_right || !has_checksum) << what << ": " << name(i);
      if (is_right) ++right;
    }
    // What was read was listed at the same place.
    for (std::size_t i = 0; i < std::min(found.names.size(), listed.names.size()); ++i)
      EXPECT_EQ(found.names[i], listed.names[i]) << what;
    EXPECT_LE(found.contents.size(), listed.names.size()) << what;
    return right;
  }
};

TEST_P(DamagedArchiveTest, CutAnywhereItGivesWhatIsLeft) {
  const std::string bytes = whole();
  int last = 0;
  for (std::size_t length = 0; length < bytes.size(); length += step(bytes))
    last = check(bytes.substr(0, length), true, "cut at " + std::to_string(length));
  // Near the end nearly all are there.
  EXPECT_GE(last, is_of_large_blocks() ? 0 : kMembers - 2);
}

TEST_P(DamagedArchiveTest, AChangedByteAnywhereCostsNoMoreThanItMust) {
  const std::string bytes = whole();
  int total = 0;
  int rounds = 0;
  for (std::size_t place = 0; place < bytes.size(); place += step(bytes)) {
    std::string changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ (1 << (place % 8)));
    total += check(changed, is_zip(), "changed at " + std::to_string(place));
    ++rounds;
  }
  // Without compression a change costs one member; behind it the rest may be lost.
  EXPECT_GE(total, is_of_large_blocks() ? 0 : rounds * (is_plain() ? kMembers - 2 : 1));
}

std::string name_of_kind(const ::testing::TestParamInfo<ArchiveKind>& kind) {
  static const std::vector<std::string> kNames = {"Tar",    "Pax",   "TarGz", "TarZst",
                                                  "TarBz2", "TarXz", "Zip",   "ZipStored"};
  return kNames[static_cast<std::size_t>(kind.param)];
}
INSTANTIATE_TEST_SUITE_P(EveryKind, DamagedArchiveTest, ::testing::ValuesIn(kAllKinds), name_of_kind);

}  // namespace
}  // namespace headstart
