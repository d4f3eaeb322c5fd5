// tests/data/dataset/archive_dataset_test.cpp: datasets in archives, through discover().
#include "data/dataset/archive_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/dataset/discovery.hpp"
#include "data/error.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveEntry;
using test::ArchiveKind;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum ArchiveEntry::Kind;

/// "path label split", and "!problem" where there is one.
std::vector<std::string> rows_of(const Manifest& manifest) {
  std::vector<std::string> rows;
  for (const Sample& sample : manifest.samples) {
    std::string row =
        sample.path + " " +
        (sample.label == kNoLabel ? "-" : manifest.classes.at(static_cast<std::size_t>(sample.label)));
    if (sample.split != Split::kUnassigned) row.append(" ").append(to_string(sample.split));
    if (!sample.source.problem.empty()) row += " !" + sample.source.problem;
    rows.push_back(row);
  }
  return rows;
}

class ArchiveDatasetTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::vector<ArchiveEntry>& entries,
                 ArchiveKind kind = ArchiveKind::kTar) {
    fs::create_directories((scratch_ / name).parent_path());
    test::write_archive(scratch_ / name, kind, entries);
    return scratch_ / name;
  }
  static std::string failure(const fs::path& dataset) {
    try {
      static_cast<void>(discover(dataset));
    } catch (const Error& error) {
      return std::to_string(exit_code(error.kind())) + " " + error.what();
    }
    return "none";
  }
  test::ScratchFolder scratch_;
};

TEST_F(ArchiveDatasetTest, ClassFoldersInAnArchiveAreReadLikeThoseOnDisk) {
  const std::vector<ArchiveEntry> entries{
      {"dogs/", "", kFolder},    {"dogs/rex.jpg", "1"},    {"cats/deep/er/kit.png", "2"},
      {"cats/.hidden.jpg", "3"}, {".git/config", "4"},     {"readme.txt", "5"},
      {"empty/", "", kFolder},   {"__MACOSX/cats/x", "6"}, {"cats/notes.txt", "7"}};
  for (const auto& entry : entries) {
    if (entry.kind == kFolder) {
      fs::create_directories(scratch_ / "disk" / entry.name);
    } else if (!entry.name.starts_with("__MACOSX")) {
      fs::create_directories((scratch_ / "disk" / entry.name).parent_path());
      std::ofstream(scratch_ / "disk" / entry.name) << entry.content;
    }
  }
  const Manifest disk = discover(scratch_ / "disk");
  for (const ArchiveKind kind :
       {ArchiveKind::kTar, ArchiveKind::kPax, ArchiveKind::kTarGz, ArchiveKind::kTarZst, ArchiveKind::kTarBz2,
        ArchiveKind::kTarXz, ArchiveKind::kZip}) {
    const fs::path file = write("set.archive", entries, kind);
    const Manifest manifest = discover(file);
    EXPECT_THAT(manifest.classes, ElementsAre("cats", "dogs", "empty"));
    EXPECT_EQ(manifest.classes, disk.classes);
    EXPECT_THAT(rows_of(manifest),
                ElementsAre("set.archive/cats/deep/er/kit.png cats", "set.archive/dogs/rex.jpg dogs"));
    ASSERT_EQ(manifest.samples.size(), disk.samples.size());
    for (std::size_t i = 0; i < disk.samples.size(); ++i)
      EXPECT_EQ(manifest.samples[i].path, "set.archive/" + disk.samples[i].path);
    EXPECT_THAT(manifest.notes, Contains("passed over: 2 .txt: no images"));
    EXPECT_THAT(manifest.notes, Contains("class folder empty/ has no images"));
    EXPECT_FALSE(manifest.has_given_splits);
    EXPECT_EQ(manifest.samples[1].source.file, file);
    EXPECT_EQ(manifest.samples[1].source.member->name, "dogs/rex.jpg");
    EXPECT_EQ(manifest.samples[1].source.member->position, 1U);
  }
}

TEST_F(ArchiveDatasetTest, TheEntryThatTarMakesOfADotIsNoClass) {  // tar cf a.tar -C folder .
  for (const ArchiveKind kind : {ArchiveKind::kTar, ArchiveKind::kZip}) {
    const Manifest manifest = discover(write("a.tar",
                                             {{"./", "", kFolder},
                                              {"./dogs/", "", kFolder},
                                              {"./dogs/a.jpg", "1"},
                                              {"./cats/", "", kFolder},
                                              {"./cats/b.jpg", "2"}},
                                             kind));
    EXPECT_THAT(manifest.classes, ElementsAre("cats", "dogs"));
    EXPECT_THAT(rows_of(manifest), ElementsAre("a.tar/cats/b.jpg cats", "a.tar/dogs/a.jpg dogs"));
    EXPECT_EQ(manifest.samples[1].label, 1);
  }
}

TEST_F(ArchiveDatasetTest, ACommonTopFolderIsLookedThroughAndStaysInTheName) {
  EXPECT_THAT(rows_of(discover(write(
                  "a.tar", {{"./set/dogs/a.jpg", "1"}, {"./set/cats/b.jpg", "2"}, {"./set/about.txt", ""}}))),
              ElementsAre("a.tar/set/cats/b.jpg cats", "a.tar/set/dogs/a.jpg dogs"));
  EXPECT_THAT(rows_of(discover(write("b.tar", {{"train/dogs/a.jpg", "1"}, {"train/cats/b.jpg", "2"}}))),
              ElementsAre("b.tar/train/cats/b.jpg cats", "b.tar/train/dogs/a.jpg dogs"));
  // One class alone is no top folder.
  EXPECT_THAT(rows_of(discover(write("c.tar", {{"dogs/a.jpg", "1"}}), {.min_classes = 1})),
              ElementsAre("c.tar/dogs/a.jpg dogs"));
}

TEST_F(ArchiveDatasetTest, SplitFoldersInAnArchiveGiveTheSplits) {
  const Manifest manifest = discover(write("a.zip",
                                           {{"set/train/a/1.jpg", "1"},
                                            {"set/train/b/2.jpg", "2"},
                                            {"set/val/a/3.jpg", "3"},
                                            {"set/test/b/4.jpg", "4"},
                                            {"set/other/x.jpg", "5"}},
                                           ArchiveKind::kZip));
  EXPECT_TRUE(manifest.has_given_splits);
  EXPECT_THAT(rows_of(manifest),
              ElementsAre("a.zip/set/test/b/4.jpg b test", "a.zip/set/train/a/1.jpg a train",
                          "a.zip/set/train/b/2.jpg b train", "a.zip/set/val/a/3.jpg a validation"));
  EXPECT_THAT(manifest.notes,
              Contains("split folders: set/train/ is train, set/val/ is validation, set/test/ is test"));
  write("mixed/1.tar", {{"train/a/1.jpg", "1"}, {"train/b/1.jpg", "1"}, {"val/a/2.jpg", "2"}});
  write("mixed/2.tar", {{"a/1.jpg", "1"}, {"b/2.jpg", "2"}});
  EXPECT_THAT(failure(scratch_ / "mixed"),
              AllOf(HasSubstr("2 some archives of the dataset have split folders"), HasSubstr("2.tar")));
}

TEST_F(ArchiveDatasetTest, OfEqualNamesTheLastIsTakenAsUnpackingWould) {
  const Manifest manifest =
      discover(write("a.tar", {{"a/1.jpg", "old"}, {"b/2.jpg", "2"}, {"./a/1.jpg", "new"}}));
  ASSERT_THAT(rows_of(manifest), ElementsAre("a.tar/a/1.jpg a", "a.tar/b/2.jpg b"));
  EXPECT_EQ(manifest.samples[0].source.member->position, 2U);
  EXPECT_THAT(manifest.notes, Contains(HasSubstr("1 member is skipped: another one of that name follows")));
}

TEST_F(ArchiveDatasetTest, LinksAndNamesThatLeadOutAreSkippedAndNoted) {
  const Manifest manifest = discover(write("a.tar", {{"a/1.jpg", "1"},
                                                     {"b/2.jpg", "2"},
                                                     {"a/link.jpg", "1.jpg", kSymbolicLink},
                                                     {"a/hard.jpg", "a/1.jpg", kHardLink},
                                                     {"/a/3.jpg", "3"},
                                                     {"a/../../4.jpg", "4"}}));
  EXPECT_THAT(rows_of(manifest), ElementsAre("a.tar/a/1.jpg a", "a.tar/b/2.jpg b"));
  EXPECT_THAT(manifest.notes,
              AllOf(Contains(HasSubstr("2 members are skipped: links or devices")),
                    Contains(HasSubstr("2 members are skipped: names that are empty, absolute"))));
}

TEST_F(ArchiveDatasetTest, WebdatasetSamplesHaveTheirLabelBesideThem) {
  const Manifest manifest = discover(write("s.tar", {{"0001.jpg", "1"},
                                                     {"0001.cls", "bird\n"},
                                                     {"0002.json", R"({"label": "fish"})"},
                                                     {"0002.PNG", "2"},
                                                     {"in/0001.cls", " bird "},
                                                     {"in/0001.webp", "3"},
                                                     {"0001.txt", "a caption"},
                                                     {"0003.seg.png", "a mask"}}));
  EXPECT_THAT(manifest.classes, ElementsAre("bird", "fish"));
  EXPECT_THAT(rows_of(manifest),
              ElementsAre("s.tar/0001.jpg bird", "s.tar/0002.PNG fish", "s.tar/in/0001.webp bird"));
  EXPECT_THAT(manifest.notes, Contains("passed over: 1 .png, 1 .txt: neither image nor label"));
  EXPECT_FALSE(manifest.has_given_splits);
}

TEST_F(ArchiveDatasetTest, WholeNumbersAreSortedAsNumbersSoThatTheyAreTheIndices) {
  std::vector<ArchiveEntry> entries;
  for (int i = 11; i >= 0; --i) {
    const std::string number = std::to_string(i);
    const std::string key = std::string("k").append(number);
    entries.push_back({key + ".jpg", "x"});
    // Padded or not, in either kind of member.
    if (i % 3 == 0) entries.push_back({key + ".cls", std::string("00").append(number)});
    if (i % 3 == 1) entries.push_back({key + ".cls", number});
    if (i % 3 == 2) entries.push_back({key + ".json", std::string("{\"cls\": ").append(number).append("}")});
  }
  const Manifest manifest = discover(write("s.tar", entries));
  ASSERT_EQ(manifest.classes.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(manifest.classes[i], std::to_string(i));
  for (const Sample& sample : manifest.samples)
    EXPECT_EQ(std::string("s.tar/k").append(std::to_string(sample.label)).append(".jpg"), sample.path);
}

TEST_F(ArchiveDatasetTest, NumbersAmongNamesAreSortedAsText) {
  EXPECT_THAT(discover(write("s.tar", {{"a.jpg", "1"},
                                       {"a.cls", "10"},
                                       {"b.jpg", "1"},
                                       {"b.cls", "9"},
                                       {"c.jpg", "1"},
                                       {"c.cls", "x"}}))
                  .classes,
              ElementsAre("10", "9", "x"));
}

TEST_F(ArchiveDatasetTest, ANameInTheJsonComesBeforeNumbers) {
  const Manifest manifest = discover(write("s.tar", {{"a.jpg", "1"},
                                                     {"a.cls", "0"},
                                                     {"a.json", R"({"label": 0, "label_name": "bird"})"},
                                                     {"b.jpg", "1"},
                                                     {"b.json", R"({"cls": 1, "class": "fish"})"},
                                                     {"c.jpg", "1"},
                                                     {"c.json", R"({"label": 5})"},
                                                     {"c.cls", "plain"}}));
  EXPECT_THAT(rows_of(manifest), ElementsAre("s.tar/a.jpg bird", "s.tar/b.jpg fish", "s.tar/c.jpg plain"));
}

TEST_F(ArchiveDatasetTest, ASampleWithoutALabelIsARejectWithTheReason) {
  const Manifest manifest = discover(write("s.tar", {{"a.jpg", "1"},
                                                     {"a.cls", "0"},
                                                     {"b.jpg", "1"},
                                                     {"b.cls", "1"},
                                                     {"c.jpg", "1"},
                                                     {"d.jpg", "1"},
                                                     {"d.cls", " \n"},
                                                     {"e.jpg", "1"},
                                                     {"e.json", "{"},
                                                     {"f.jpg", "1"},
                                                     {"f.json", R"({"label": [1]})"},
                                                     {"g.jpg", "1"},
                                                     {"g.cls", "two\nlines"},
                                                     {"h.jpg", "1"},
                                                     {"h.cls", std::string(2'000'000, 'x')},
                                                     {"i.jpg", "1"},
                                                     {"i.json", std::string(100'000, '[')}}));
  EXPECT_THAT(manifest.classes, ElementsAre("0", "1"));
  EXPECT_THAT(
      rows_of(manifest),
      ElementsAre("s.tar/a.jpg 0", "s.tar/b.jpg 1",
                  "s.tar/c.jpg - !has no label: there is no .cls or .json of its key",
                  HasSubstr("s.tar/d.jpg - !has no label: its .cls is no whole number and no line of text"),
                  HasSubstr("s.tar/e.jpg - !has no label: its .json is no JSON object"),
                  HasSubstr("s.tar/f.jpg - !has no label: its .json has no \"label\""),
                  HasSubstr("s.tar/g.jpg - !"),
                  HasSubstr("s.tar/h.jpg - !has no label: its .cls has 2000000 bytes, more than the limit"),
                  HasSubstr("s.tar/i.jpg - !has no label: its .json is no JSON object")));
}

TEST_F(ArchiveDatasetTest, ImagesOfOneSampleAreAGroup) {
  const Manifest manifest = discover(
      write("s.tar", {{"a.jpg", "1"}, {"a.png", "2"}, {"a.cls", "0"}, {"b.jpg", "1"}, {"b.cls", "1"}}));
  EXPECT_THAT(rows_of(manifest), ElementsAre("s.tar/a.jpg 0", "s.tar/a.png 0", "s.tar/b.jpg 1"));
  EXPECT_EQ(manifest.samples[0].group, "s.tar/a");
  EXPECT_EQ(manifest.samples[1].group, "s.tar/a");
  EXPECT_EQ(manifest.samples[2].group, "");
}

TEST_F(ArchiveDatasetTest, ShardsAreNamedByAFolderAListOrAPattern) {
  write("shards/s-00.tar", {{"a.jpg", "1"}, {"a.cls", "0"}});
  write("shards/s-01.tar", {{"a.jpg", "2"}, {"a.cls", "1"}});
  write("shards/s-02.tar", {{"a.jpg", "3"}, {"a.cls", "1"}});
  const std::vector<std::string> all{"s-00.tar/a.jpg 0", "s-01.tar/a.jpg 1", "s-02.tar/a.jpg 1"};
  EXPECT_EQ(rows_of(discover(scratch_ / "shards")), all);
  EXPECT_EQ(rows_of(discover(scratch_ / "shards/s-{00..02}.tar")), all);
  EXPECT_THAT(rows_of(discover(scratch_ / "shards/s-{00..01}.tar")), ElementsAre(all[0], all[1]));
  test::write_bytes(scratch_ / "train.txt", "shards/s-01.tar\nshards/s-00.tar\n");
  EXPECT_THAT(rows_of(discover(scratch_ / "train.txt")),
              ElementsAre("shards/s-00.tar/a.jpg 0", "shards/s-01.tar/a.jpg 1"));
  EXPECT_THAT(failure(scratch_ / "shards/s-{00..03}.tar"),
              AllOf(HasSubstr("2 cannot find an archive"), HasSubstr("s-03.tar")));
}

TEST_F(ArchiveDatasetTest, ShardsOfClassFoldersAreOneDataset) {
  write("shards/1.tar", {{"cats/1.jpg", "1"}, {"dogs/1.jpg", "2"}});
  write("shards/2.zip", {{"top/birds/1.jpg", "1"}, {"top/dogs/1.jpg", "2"}}, ArchiveKind::kZip);
  EXPECT_THAT(rows_of(discover(scratch_ / "shards")),
              ElementsAre("1.tar/cats/1.jpg cats", "1.tar/dogs/1.jpg dogs", "2.zip/top/birds/1.jpg birds",
                          "2.zip/top/dogs/1.jpg dogs"));
}

TEST_F(ArchiveDatasetTest, ArchivesCalledLikeSplitsAreSplits) {
  write("folders/train.tar", {{"train/cats/1.jpg", "1"}, {"train/dogs/1.jpg", "2"}});
  write("folders/valid.zip", {{"cats/1.jpg", "1"}, {"dogs/1.jpg", "2"}}, ArchiveKind::kZip);
  const std::vector<std::string> rows = rows_of(discover(scratch_ / "folders"));
  EXPECT_THAT(rows,
              ElementsAre("train.tar/train/cats/1.jpg cats train", "train.tar/train/dogs/1.jpg dogs train",
                          "valid.zip/cats/1.jpg cats validation", "valid.zip/dogs/1.jpg dogs validation"));
  write("shards/train-00.tar", {{"a.jpg", "1"}, {"a.cls", "0"}, {"b.jpg", "1"}, {"b.cls", "1"}});
  write("shards/train-01.tar", {{"a.jpg", "2"}, {"a.cls", "1"}});
  write("shards/val-00.tar", {{"a.jpg", "3"}, {"a.cls", "1"}, {"b.jpg", "1"}});
  EXPECT_THAT(
      rows_of(discover(scratch_ / "shards")),
      ElementsAre("train-00.tar/a.jpg 0 train", "train-00.tar/b.jpg 1 train", "train-01.tar/a.jpg 1 train",
                  "val-00.tar/a.jpg 1 validation", HasSubstr("val-00.tar/b.jpg - validation !has no label")));
  EXPECT_FALSE(
      discover(scratch_ / "shards", {.splits = parse_split_folders("none").value()}).has_given_splits);
  EXPECT_THAT(rows_of(discover(scratch_ / "shards/train-{00..01}.tar")),
              ElementsAre("train-00.tar/a.jpg 0", "train-00.tar/b.jpg 1", "train-01.tar/a.jpg 1"));
}

TEST_F(ArchiveDatasetTest, EachArchiveMayHoldOneSplit) {
  write("shards/1.tar", {{"set/train/cats/1.jpg", "1"}, {"set/train/dogs/1.jpg", "2"}});
  write("shards/2.tar", {{"set/val/cats/1.jpg", "1"}, {"set/val/dogs/1.jpg", "2"}});
  EXPECT_THAT(
      rows_of(discover(scratch_ / "shards")),
      ElementsAre("1.tar/set/train/cats/1.jpg cats train", "1.tar/set/train/dogs/1.jpg dogs train",
                  "2.tar/set/val/cats/1.jpg cats validation", "2.tar/set/val/dogs/1.jpg dogs validation"));
}

TEST_F(ArchiveDatasetTest, ADamagedArchiveGivesWhatIsLeftAndOneRowForTheRest) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 40; ++i) {
    std::string noise(2000, static_cast<char>(i));
    for (std::size_t k = 0; k < noise.size(); ++k)
      noise[k] = static_cast<char>((k * k * 7 + static_cast<std::size_t>(i) * k) % 251);
    entries.push_back({(i % 2 == 0 ? "a/" : "b/") + std::to_string(100 + i) + ".jpg", noise});
  }
  const std::string whole = test::read_bytes(write("whole.tar", entries));
  // Within the header of the member 30 of 2000 bytes, which takes 5 blocks of 512.
  test::write_bytes(scratch_ / "cut.tar", whole.substr(0, std::size_t{30} * 5 * 512 + 100));
  const Manifest manifest = discover(scratch_ / "cut.tar");
  ASSERT_EQ(manifest.samples.size(), 31U);
  EXPECT_THAT(rows_of(manifest)[0],
              HasSubstr("cut.tar - !members may be missing behind b/129.jpg: Truncated tar archive"));
  EXPECT_EQ(manifest.samples[0].source.member, std::nullopt);
  EXPECT_THAT(manifest.classes, ElementsAre("a", "b"));
  // Among other shards a file that is no archive at all is a row, too; alone it is an error.
  fs::create_directories(scratch_ / "shards");
  test::write_bytes(scratch_ / "shards/1.tar", "this is no archive");
  test::write_bytes(scratch_ / "shards/2.tar", whole);
  EXPECT_THAT(rows_of(discover(scratch_ / "shards"))[0], HasSubstr("1.tar - !the archive is no archive: "));
  EXPECT_EQ(discover(scratch_ / "shards").samples.size(), 41U);
  EXPECT_THAT(failure(scratch_ / "shards/1.tar"), HasSubstr("1 cannot read the archive: "));
}

TEST_F(ArchiveDatasetTest, ADamagedLabelInAZipCostsItsSampleOnly) {
  std::vector<ArchiveEntry> entries;
  for (int i = 0; i < 10; ++i) {
    const std::string key = std::to_string(i);
    std::string padding;
    for (int k = 0; k < 300; ++k) padding += std::to_string(k * k + i);
    entries.push_back({key + ".jpg", "x"});
    entries.push_back({key + ".json", R"({"label": 1, "padding": ")" + padding + R"("})"});
  }
  const fs::path file = write("a.zip", entries, ArchiveKind::kZip);
  std::string bytes = test::read_bytes(file);
  bytes.replace(test::zip_data_of(bytes).at(7), 16, std::string(16, '\xFF'));  // 3.json's
  test::write_bytes(file, bytes);
  const Manifest manifest = discover(file, {.min_classes = 1});
  ASSERT_EQ(manifest.samples.size(), 10U);
  std::size_t problems = 0;
  for (const Sample& sample : manifest.samples) problems += sample.source.problem.empty() ? 0U : 1U;
  EXPECT_EQ(problems, 1U);
  EXPECT_THAT(manifest.samples[3].source.problem, HasSubstr("has no label: its .json cannot be read: "));
  EXPECT_EQ(manifest.samples[9].label, 0);
}

TEST_F(ArchiveDatasetTest, WhatIsNoDatasetSaysWhatWouldBe) {
  EXPECT_THAT(
      failure(write("flat.tar", {{"1.jpg", "1"}, {"2.jpg", "2"}})),
      AllOf(HasSubstr("3 the images of the dataset have no labels"),
            HasSubstr("2 images lie in no class folder"), HasSubstr("a .cls or .json beside each image")));
  EXPECT_THAT(failure(write("absolute.zip", {{"/cat/1.jpg", "1"}, {"../dog/2.jpg", "2"}}, ArchiveKind::kZip)),
              AllOf(HasSubstr("3 the dataset has no images"),
                    HasSubstr("2 members are skipped: names that are empty, absolute, or lead out")));
  EXPECT_THAT(failure(write("captions.tar", {{"1.jpg", "1"}, {"1.txt", "one"}, {"1.json", "{}"}})),
              AllOf(HasSubstr("3 the images of the dataset have no labels"), HasSubstr("1 image lies"),
                    HasSubstr("1 .json, 1 .txt")));
  test::write_bytes(scratch_ / "text", "text");
  EXPECT_THAT(failure(scratch_ / "text"),
              HasSubstr("2 the dataset is neither a folder, a .csv file nor an archive"));
  test::write_bytes(scratch_ / "empty.txt", "# no shards yet\n");
  EXPECT_THAT(failure(scratch_ / "empty.txt"), HasSubstr("3 the dataset has no images"));
}

TEST_F(ArchiveDatasetTest, ImagesToPredictAreMembersWithAnImagesExtensionAsTheyLie) {
  const fs::path file = write(
      "any name", {{"b.jpg", "1"}, {"a.v2.PNG", "2"}, {"a.json", "{}"}, {"c.txt", "x"}, {"deep/c.gif", "3"}});
  test::write_bytes(scratch_ / "plain.jpg", test::read_bytes(file));  // called an image: taken for one
  std::vector<std::string> names;
  for (const ImageSource& source : list_images({scratch_ / "plain.jpg", file}))
    names.push_back(name_of(source));
  EXPECT_THAT(names, ElementsAre((scratch_ / "plain.jpg").string(), file.string() + "/b.jpg",
                                 file.string() + "/a.v2.PNG", file.string() + "/deep/c.gif"));
  fs::create_directories(scratch_ / "shards");
  fs::copy_file(file, scratch_ / "shards/1.tar");
  fs::copy_file(file, scratch_ / "shards/2.tar");
  EXPECT_EQ(list_images({scratch_ / "shards"}).size(), 6U);
  test::write_bytes(file, test::read_bytes(file).substr(0, 1300));
  const auto images = list_images({file});
  ASSERT_EQ(images.size(), 2U);
  EXPECT_THAT(images[1].problem, HasSubstr("members may be missing behind b.jpg"));
}

}  // namespace
}  // namespace headstart
