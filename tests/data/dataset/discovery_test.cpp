// tests/data/dataset/discovery_test.cpp: folders are built in a scratch folder; no image is ever opened by
// discovery.
#include "data/dataset/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "data/error.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> paths_of(const Manifest& manifest) {
  std::vector<std::string> paths;
  for (const Sample& sample : manifest.samples) paths.push_back(sample.path);
  return paths;
}

const DiscoveryOptions kAllowOutside{.outside_paths = OutsidePaths::kAllowed};

class DiscoveryTest : public ::testing::Test {
 protected:
  void add(const std::string& path, const std::string& text = "x") {
    fs::create_directories((scratch_ / path).parent_path());
    std::ofstream(scratch_ / path, std::ios::binary) << text;
  }
  [[nodiscard]] Manifest find(const std::string& path = "", const DiscoveryOptions& options = {}) const {
    return discover(path.empty() ? scratch_.path() : scratch_ / path, options);
  }
  /// "KIND message" of the Error that discovery throws.
  [[nodiscard]] std::string failure(const std::string& path = "",
                                    const DiscoveryOptions& options = {}) const {
    try {
      static_cast<void>(find(path, options));
    } catch (const Error& error) {
      return std::to_string(exit_code(error.kind())) + " " + error.what();
    }
    return "none";
  }

  test::ScratchFolder scratch_;
};

TEST_F(DiscoveryTest, AFolderOfClassFoldersGivesSortedClassesAndPaths) {
  add("dogs/rex.jpg");
  add("Cats/tom.jpg");
  add("Cats/deep/er/kit.png");
  add("cats/felix.jpg");
  const Manifest manifest = find();
  EXPECT_THAT(manifest.classes, ElementsAre("Cats", "cats", "dogs"));
  EXPECT_THAT(paths_of(manifest),
              ElementsAre("Cats/deep/er/kit.png", "Cats/tom.jpg", "cats/felix.jpg", "dogs/rex.jpg"));
  EXPECT_EQ(manifest.samples[2].label, 1);
  EXPECT_EQ(manifest.samples[3].source.file, scratch_ / "dogs/rex.jpg");
  EXPECT_EQ(manifest.samples[3].split, Split::kUnassigned);
  EXPECT_FALSE(manifest.has_given_splits);
  EXPECT_THAT(manifest.notes, ElementsAre(scratch_.path().string() + ": 4 images of 3 classes: no splits"));
}

TEST_F(DiscoveryTest, TheSampleSetHasTenClassesAnd393Images) {
  const Manifest manifest = discover(test::source_path("samples/openclipart10"));
  EXPECT_EQ(manifest.classes.size(), 10U);
  EXPECT_EQ(manifest.samples.size(), 393U);
}

TEST_F(DiscoveryTest, HiddenEntriesAndTextFilesAreSkipped) {
  add("a/1.jpg");
  add("a/.2.jpg");
  add("a/.thumbnails/3.jpg");
  add("a/notes.txt");
  add(".git/4.jpg");
  add("b/5.jpg");
  EXPECT_THAT(paths_of(find()), ElementsAre("a/1.jpg", "b/5.jpg"));
  EXPECT_THAT(find().notes, ElementsAre(HasSubstr(": 2 images of 2 classes"),
                                        "passed over: 1 .txt: no images", "passed over: 3 hidden"));
}

TEST_F(DiscoveryTest, FilesBesideTheClassFoldersAreNoted) {
  add("a/1.jpg");
  add("b/2.jpg");
  add("README.md");
  add("cover.png");
  EXPECT_THAT(find().notes,
              ElementsAre(HasSubstr("2 images"), "passed over: 1 image beside the class folders",
                          "passed over: 1 .md: no images"));
}

TEST_F(DiscoveryTest, LinksAreFollowedAndLoopsSurvived) {
  add("a/1.jpg");
  add("b/2.jpg");
  add("elsewhere/3.jpg");
  fs::rename(scratch_ / "elsewhere", scratch_ / ".elsewhere");
  fs::create_directory_symlink(scratch_ / ".elsewhere", scratch_ / "a/linked");
  fs::create_directory_symlink(scratch_ / "a", scratch_ / "a/loop");
  fs::create_directory_symlink("..", scratch_ / "b/up");  // to the dataset, which holds it
  fs::create_symlink(scratch_ / "a/1.jpg", scratch_ / "b/link.jpg");
  const Manifest manifest = find();
  EXPECT_THAT(paths_of(manifest), ElementsAre("a/1.jpg", "a/linked/3.jpg", "b/2.jpg", "b/link.jpg"));
  EXPECT_THAT(manifest.notes, Contains("passed over: a/loop, b/up: links to a folder that holds them"));
}

TEST_F(DiscoveryTest, BrokenLinksAreSamplesToBeRejectedLater) {
  add("a/1.jpg");
  add("b/2.jpg");
  fs::create_symlink("nowhere", scratch_ / "b/broken.jpg");
  fs::create_symlink("itself.jpg", scratch_ / "b/itself.jpg");
  EXPECT_THAT(paths_of(find()), ElementsAre("a/1.jpg", "b/2.jpg", "b/broken.jpg", "b/itself.jpg"));
}

TEST_F(DiscoveryTest, ABrokenLinkWhereAClassFolderMayBeIsAnError) {
  add("set/a/1.jpg");
  add("set/b/2.jpg");
  fs::create_symlink("nowhere", scratch_ / "set/b/3");
  EXPECT_THAT(paths_of(find("set")), ElementsAre("a/1.jpg", "b/2.jpg", "b/3"));
  fs::create_symlink("nowhere", scratch_ / "set/c");
  EXPECT_THAT(failure("set"),
              AllOf(HasSubstr("3 a link leads nowhere, where a class or split folder may be: "),
                    HasSubstr("/set: c: mount what it leads to, or remove the link")));
  fs::remove(scratch_ / "set/c");
  fs::create_symlink("c", scratch_ / "set/c");
  EXPECT_THAT(failure("set"), HasSubstr("/set: c: "));
  fs::remove_all(scratch_ / "set/a");  // no wrapper is looked through beside it
  EXPECT_THAT(failure("set"), HasSubstr("/set: c: "));
  fs::remove_all(scratch_ / "set/b");
  EXPECT_THAT(failure("set"), HasSubstr("/set: c: "));
}

TEST_F(DiscoveryTest, ABrokenLinkBesideOrInSplitsIsAnError) {
  add("train/a/1.jpg");
  add("train/b/2.jpg");
  fs::create_symlink("nowhere", scratch_ / "val");
  EXPECT_THAT(failure(), HasSubstr(": val: mount"));
  DiscoveryOptions options;
  options.splits = *parse_split_folders("train=train");
  EXPECT_THAT(find("", options).notes, Contains("passed over: val: a link that leads nowhere"));
  options.splits = *parse_split_folders("train=train,validation=val");
  EXPECT_THAT(failure("", options), HasSubstr(": val: mount"));
  fs::create_directory(scratch_ / "data");
  fs::rename(scratch_ / "train", scratch_ / "data/train");
  fs::rename(scratch_ / "val", scratch_ / "data/val");
  EXPECT_THAT(failure("", options), HasSubstr(": data/val: mount"));
  fs::rename(scratch_ / "data/train", scratch_ / "train");
  fs::remove_all(scratch_ / "data");
  fs::create_directory(scratch_ / "val");
  fs::create_symlink("nowhere", scratch_ / "val/a");
  EXPECT_THAT(failure(), HasSubstr(": val/a: mount"));
  add("val/b/3.jpg");
  EXPECT_THAT(failure(), HasSubstr(": val/a: mount"));
}

TEST_F(DiscoveryTest, FifosAreSkippedAndNoted) {
  add("a/1.jpg");
  add("b/2.jpg");
  ASSERT_EQ(::mkfifo((scratch_ / "b/pipe").c_str(), 0600), 0);
  const Manifest manifest = find();
  EXPECT_THAT(paths_of(manifest), ElementsAre("a/1.jpg", "b/2.jpg"));
  EXPECT_THAT(manifest.notes, Contains("passed over: b/pipe: neither file nor folder"));
}

TEST_F(DiscoveryTest, AnEmptyClassFolderStaysAClassAndIsNoted) {
  add("a/1.jpg");
  add("c/2.jpg");
  fs::create_directory(scratch_ / "b");
  const Manifest manifest = find();
  EXPECT_THAT(manifest.classes, ElementsAre("a", "b", "c"));
  EXPECT_EQ(manifest.samples[1].label, 2);
  EXPECT_THAT(manifest.notes, Contains("class folder b/ has no images"));
}

TEST_F(DiscoveryTest, FoldersNamedAfterSplitsGiveTheSplits) {
  add("train/a/1.jpg");
  add("train/b/2.jpg");
  add("val/a/3.jpg");
  add("test/b/4.jpg");
  add("extra/a/5.jpg");
  const Manifest manifest = find();
  EXPECT_TRUE(manifest.has_given_splits);
  EXPECT_THAT(manifest.classes, ElementsAre("a", "b"));
  EXPECT_THAT(paths_of(manifest),
              ElementsAre("test/b/4.jpg", "train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg"));
  EXPECT_EQ(manifest.samples[0].split, Split::kTest);
  EXPECT_EQ(manifest.samples[1].split, Split::kTrain);
  EXPECT_EQ(manifest.samples[3].split, Split::kValidation);
  EXPECT_THAT(manifest.notes,
              Contains("passed over: extra/: 1 image: is no split by its name; --splits reads it"));
}

TEST_F(DiscoveryTest, AClassThatTrainingLacksIsAnError) {
  add("train/a/1.jpg");
  add("train/b/2.jpg");
  add("validation/zebras/3.jpg");
  EXPECT_THAT(failure(), AllOf(HasSubstr("3 class 'zebras' has validation images but no training images"),
                               HasSubstr(scratch_.path().string())));
}

TEST_F(DiscoveryTest, TrainingWithoutValidationIsNotReadAsAClass) {
  add("train/a/1.jpg");
  add("train/b/1.jpg");
  add("test/a/2.jpg");
  const Manifest manifest = find();
  EXPECT_THAT(manifest.classes, ElementsAre("a", "b"));
  EXPECT_EQ(manifest.samples[0].split, Split::kTest);
  EXPECT_EQ(manifest.samples[1].split, Split::kTrain);
}

TEST_F(DiscoveryTest, AClassCalledTrainAmongOthersIsAClass) {
  add("train/1.jpg");
  add("bus/2.jpg");
  EXPECT_THAT(find().classes, ElementsAre("bus", "train"));
}

TEST_F(DiscoveryTest, TwoValidationFoldersAreAnError) {
  add("train/a/1.jpg");
  add("val/a/2.jpg");
  add("validation/a/2.jpg");
  EXPECT_THAT(failure(), AllOf(HasSubstr("2 two folders are the validation split"),
                               HasSubstr("val/ (with a/)"), HasSubstr("validation/ (with a/)")));
}

TEST_F(DiscoveryTest, TellsWhatIsNoDataset) {
  EXPECT_THAT(failure("missing"), HasSubstr("2 cannot find the dataset"));
  add("image.jpg");
  EXPECT_THAT(failure("image.jpg"),
              HasSubstr("2 the dataset is neither a folder, a .csv file nor an archive"));
  EXPECT_THAT(failure(), HasSubstr("3 the images of the dataset have no labels"));
  add("only/1.jpg");
  EXPECT_THAT(failure(), HasSubstr("3 the dataset has images of 1 class, needed are 2"));
  EXPECT_EQ(failure("", {.min_classes = 1}), "none");
}

TEST_F(DiscoveryTest, AnUnreadableFolderFailsRatherThanLosesImages) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  add("a/1.jpg");
  add("b/2.jpg");
  fs::permissions(scratch_ / "b", fs::perms::none);
  const std::string message = failure();
  fs::permissions(scratch_ / "b", fs::perms::owner_all);
  EXPECT_THAT(message, AllOf(HasSubstr("1 cannot list the folder"), HasSubstr("/b: Permission denied")));
}

TEST_F(DiscoveryTest, SplitFoldersThatAreGivenAreOfFoldersOnly) {
  add("labels.csv", "path,label\na.jpg,a\nb.jpg,b\n");
  EXPECT_THAT(failure("labels.csv", {.splits = parse_split_folders("train=a").value()}),
              HasSubstr("2 --splits names folders, and the dataset is a .csv file"));
  EXPECT_EQ(failure("labels.csv", {.splits = parse_split_folders("none").value()}), "none");
}

TEST_F(DiscoveryTest, ACsvFileGivesPathsLabelsSplitsAndGroups) {
  add("set/labels.csv",
      "file_name,split,label,group,remark\n"
      "z.jpg,training,dog,g1,\n"
      "sub/y.jpg,val,\"cat, small\",,\n"
      "/abs/x.jpg,test,dog,g1,\n"
      "../w.jpg,train,\"cat, small\",,\n");
  const Manifest manifest = find("set/labels.csv", kAllowOutside);
  EXPECT_EQ(manifest.root, scratch_ / "set");
  EXPECT_TRUE(manifest.has_given_splits);
  EXPECT_THAT(manifest.classes, ElementsAre("cat, small", "dog"));
  EXPECT_THAT(paths_of(manifest), ElementsAre("z.jpg", "sub/y.jpg", "/abs/x.jpg", "../w.jpg"));
  EXPECT_EQ(manifest.samples[0], (Sample{"z.jpg", {scratch_ / "set/z.jpg"}, 1, Split::kTrain, "g1"}));
  EXPECT_EQ(manifest.samples[1].split, Split::kValidation);
  EXPECT_EQ(manifest.samples[2].source.file, "/abs/x.jpg");
  EXPECT_EQ(manifest.samples[2].split, Split::kTest);
}

TEST_F(DiscoveryTest, ACsvFileWithAnEmptySplitColumnHasNoSplits) {
  add("labels.csv", "path,label,split\na.jpg,a,\nb.jpg,b,\n");
  EXPECT_FALSE(find("labels.csv").has_given_splits);
}

TEST_F(DiscoveryTest, ACsvFileToEvaluateOnNeedsNoTrainingRows) {
  add("labels.csv", "path,label,split\na.jpg,a,test\nb.jpg,b,test\n");
  EXPECT_EQ(find("labels.csv").samples.size(), 2U);
}

TEST_F(DiscoveryTest, WhatIsWrongInACsvFileIsNamedWithItsLine) {
  const auto about = [&](const std::string& text) {
    add("labels.csv", text);
    return failure("labels.csv");
  };
  EXPECT_THAT(about("picture,label\na,b\n"),
              HasSubstr("1 cannot read the dataset: no column is the path of the image"));
  EXPECT_THAT(about("path,breed\na,b\n"), HasSubstr("no column is the label; there is 'path', 'breed'"));
  EXPECT_THAT(about("path,file_name,label\na,b,c\n"),
              HasSubstr("columns 'path' and 'file_name' may both be the path of the image"));
  EXPECT_THAT(about("path,label\na,b\n,c\n"), HasSubstr("path is empty: "));
  EXPECT_THAT(about("path,label\na,b\nc,\n"), HasSubstr("labels.csv, line 3: "));
  EXPECT_THAT(about("path,label,split\na,b,train\nc,d,\n"),
              AllOf(HasSubstr("split is empty"), HasSubstr("line 3: ")));
  EXPECT_THAT(about("path,label,split\na,b,blue\n"),
              AllOf(HasSubstr("split is 'blue'"), HasSubstr("line 2: ")));
  EXPECT_THAT(about("path,label,split\na,b,train\nc,d,val\n"),
              HasSubstr("3 class 'd' has validation images"));
  EXPECT_THAT(about("path,label\n"), HasSubstr("3 the dataset has no images"));
}

TEST_F(DiscoveryTest, ACsvFileMayNameFilesBelowItsFolderOnly) {
  const auto about = [&](const std::string& path, const DiscoveryOptions& options = {}) {
    add("set/labels.csv", "path,label\na.jpg,a\n" + path + ",b\n");
    return failure("set/labels.csv", options);
  };
  const std::string root = (scratch_ / "set").string();
  for (const std::string& inside : {std::string("b.jpg"), std::string("./b.jpg"), std::string("sub//b.jpg"),
                                    std::string("..b.jpg"), std::string("c..jpg/.../b"), root + "/b.jpg"}) {
    EXPECT_EQ(about(inside), "none");
  }
  for (const std::string& outside :
       {std::string("../b.jpg"), std::string("sub/../b.jpg"), std::string(".."), std::string("/etc/passwd"),
        std::string("//etc/passwd"), root + "2/b.jpg", root + "/../b.jpg", scratch_.path().string()}) {
    EXPECT_THAT(about(outside),
                AllOf(HasSubstr("1 cannot read the dataset: path '" + outside + "' may lead out"),
                      HasSubstr("labels.csv, line 3: "), HasSubstr("--allow-outside")));
    EXPECT_EQ(about(outside, kAllowOutside), "none");
  }
}

TEST_F(DiscoveryTest, TheFolderOfACsvFileHasEveryNameThatLeadsToIt) {
  add("set/labels.csv", "path,label\n" + (scratch_ / "set/a.jpg").string() + ",a\n" +
                            (scratch_ / "link/b.jpg").string() + ",b\n");
  fs::create_directory_symlink("set", scratch_ / "link");
  EXPECT_EQ(find("link/labels.csv").samples.size(), 2U);
  EXPECT_THAT(failure("set/labels.csv"), HasSubstr("line 3: "));
  const fs::path here = fs::current_path();
  fs::current_path(scratch_ / "set");
  const auto count = [] {
    try {
      return discover("labels.csv").samples.size();
    } catch (const Error&) {
      return std::size_t{0};
    }
  };
  add("set/labels.csv", "path,label\n" + (scratch_ / "set/a.jpg").string() + ",a\nb.jpg,b\n");
  const std::size_t inside = count();
  add("set/labels.csv", "path,label\n../a.jpg,a\nb.jpg,b\n");
  const std::size_t outside = count();
  fs::current_path(here);
  EXPECT_EQ(inside, 2U);
  EXPECT_EQ(outside, 0U);
}

TEST_F(DiscoveryTest, LinksBelowTheFolderOfACsvFileAreFollowed) {
  add("elsewhere/a.jpg");
  add("set/labels.csv", "path,label\nlink/a.jpg,a\nb.jpg,b\n");
  fs::create_directory_symlink(scratch_ / "elsewhere", scratch_ / "set/link");
  EXPECT_TRUE(fs::exists(find("set/labels.csv").samples[0].source.file));
}

TEST_F(DiscoveryTest, ImagesToPredictKeepTheOrderOfTheArguments) {
  add("b/2.jpg");
  add("b/1.jpg");
  add("a.jpg");
  const auto file = [&](const char* name) { return ImageSource{scratch_ / name}; };
  EXPECT_THAT(list_images({scratch_ / "b", scratch_ / "a.jpg"}),
              ElementsAre(file("b/1.jpg"), file("b/2.jpg"), file("a.jpg")));
  add("b/notes.txt");
  add("b/@eaDir/3.jpg");
  std::vector<std::string> notes;
  EXPECT_EQ(list_images({scratch_ / "b"}, &notes).size(), 2U);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("b: passed over: 1 .txt: no images"), HasSubstr("1 @eaDir")));
  EXPECT_THROW(static_cast<void>(list_images({scratch_ / "missing.jpg"})), Error);
}

}  // namespace
}  // namespace headstart
