// tests/data/dataset/layout_test.cpp: one table of layouts, each read as a folder, as a .tar and as a .zip,
// with one result.
#include "data/dataset/layout.hpp"

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
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct LayoutCase {
  std::string name;
  /// Separated by blanks; "x/" is an empty folder, "a/{b,c}/d" is two files.
  std::string files;
  std::string splits;  ///< --splits
  /// "train cat 2; test dog 1" ("-" where no split is given), or "error 2".
  std::string expected;
  std::vector<std::string> says;  ///< parts of the notes or of the error
};

std::ostream& operator<<(std::ostream& out, const LayoutCase& layout) { return out << layout.name; }

std::vector<std::string> expand_words(const std::string& text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  for (std::size_t i = 0; i < words.size();) {
    const std::string word = words[i];
    const std::size_t open = word.find('{');
    if (open == std::string::npos) {
      ++i;
      continue;
    }
    const std::size_t close = word.find('}', open);
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    std::size_t at = open + 1;
    auto place = static_cast<std::ptrdiff_t>(i);
    while (at <= close) {
      const std::size_t end = std::min(word.find(',', at), close);
      words.insert(words.begin() + place++,
                   word.substr(0, open) + word.substr(at, end - at) + word.substr(close + 1));
      at = end + 1;
    }
  }
  return words;
}

std::string content_of(const std::string& file) {
  if (file.ends_with("picture") || file.ends_with(".jpg_large")) return "\xFF\xD8\xFF\xE0 and so on";
  return "content of " + file;
}

/// "train cat 2; test dog 1".
std::string counts_of(const Manifest& manifest) {
  std::vector<std::string> rows;
  for (const Split split : {Split::kUnassigned, Split::kTrain, Split::kValidation, Split::kTest}) {
    for (std::size_t label = 0; label < manifest.classes.size(); ++label) {
      const auto count =
          std::count_if(manifest.samples.begin(), manifest.samples.end(), [&](const Sample& sample) {
            return sample.split == split && sample.label == static_cast<Label>(label);
          });
      const std::string name(split == Split::kUnassigned ? "-" : to_string(split));
      if (count > 0) rows.push_back(name + " " + manifest.classes[label] + " " + std::to_string(count));
    }
  }
  std::string text;
  for (const std::string& row : rows) text += (text.empty() ? "" : "; ") + row;
  return text;
}

struct Outcome {
  std::string result;
  std::string said;
  std::vector<std::string> paths;  // relative to the dataset
};

Outcome read_as(const fs::path& dataset, const LayoutCase& layout, const std::string& prefix) {
  Outcome outcome;
  DiscoveryOptions options;
  if (!layout.splits.empty()) options.splits = parse_split_folders(layout.splits).value();
  try {
    const Manifest manifest = discover(dataset, options);
    outcome.result = counts_of(manifest);
    for (const std::string& note : manifest.notes) outcome.said += note + "\n";
    for (const Sample& sample : manifest.samples) {
      EXPECT_TRUE(sample.path.starts_with(prefix)) << sample.path;
      EXPECT_EQ(sample.split != Split::kUnassigned, manifest.has_given_splits) << sample.path;
      outcome.paths.push_back(sample.path.substr(prefix.size()));
    }
  } catch (const Error& error) {
    outcome.result = "error " + std::to_string(exit_code(error.kind()));
    outcome.said = error.what();
    EXPECT_EQ(outcome.said.find('\n'), std::string::npos) << outcome.said;
  }
  return outcome;
}

class LayoutTest : public ::testing::TestWithParam<LayoutCase> {};

TEST_P(LayoutTest, AFolderAndItsArchivesAreReadAlike) {
  const LayoutCase& layout = GetParam();
  const test::ScratchFolder scratch;
  fs::create_directories(scratch / "set");
  std::vector<ArchiveEntry> entries;
  for (const std::string& file : expand_words(layout.files)) {
    const fs::path place = scratch / "set" / file;
    if (file.ends_with('/')) {
      fs::create_directories(place);
      entries.push_back({file, "", ArchiveEntry::Kind::kFolder});
    } else {
      fs::create_directories(place.parent_path());
      std::ofstream(place, std::ios::binary) << content_of(file);
      entries.push_back({file, content_of(file)});
    }
  }
  const Outcome folder = read_as(scratch / "set", layout, "");
  EXPECT_EQ(folder.result, layout.expected) << folder.said;
  for (const std::string& part : layout.says) EXPECT_THAT(folder.said, HasSubstr(part));
  for (const auto& [name, kind] :
       {std::pair{"set.tar", ArchiveKind::kTar}, std::pair{"set.zip", ArchiveKind::kZip}}) {
    test::write_archive(scratch / name, kind, entries);
    const Outcome archive = read_as(scratch / name, layout, std::string(name) + '/');
    EXPECT_EQ(archive.result, layout.expected) << name << ": " << archive.said;
    EXPECT_EQ(archive.paths, folder.paths) << name;
    for (const std::string& part : layout.says) EXPECT_THAT(archive.said, HasSubstr(part)) << name;
  }
}

std::string name_of_layout(const ::testing::TestParamInfo<LayoutCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Classes, LayoutTest,
    ::testing::Values(
        LayoutCase{
            "Plain", "{cat,dog}/{1,2}.jpg", "", "- cat 2; - dog 2", {"4 images of 2 classes: no splits"}},
        LayoutCase{"Nested", "cats/1.jpg cats/deep/er/2.png dogs/3.jpg", "", "- cats 2; - dogs 1", {}},
        LayoutCase{"NestedOnly", "cats/{a,b}/1.jpg dogs/3.jpg", "", "- cats 2; - dogs 1", {}},
        LayoutCase{"OneInnerFolderEach", "{cat,dog}/images/1.jpg", "", "- cat 1; - dog 1", {}},
        LayoutCase{"AClassCalledTest", "{control,test}/1.jpg", "", "- control 1; - test 1", {}},
        LayoutCase{"AClassCalledTrain", "{bus,train}/1.jpg", "", "- bus 1; - train 1", {}},
        LayoutCase{"ClassesCalledValidAndTest",
                   "{valid,test,broken}/1.jpg",
                   "",
                   "- broken 1; - test 1; - valid 1",
                   {}},
        LayoutCase{"NumbersAreClasses", "{0,1,10}/1.jpg", "", "- 0 1; - 1 1; - 10 1", {}},
        LayoutCase{"AnEmptyFolderIsAClass",
                   "{a,c}/1.jpg b/",
                   "",
                   "- a 1; - c 1",
                   {"class folder b/ has no images", "2 images of 3 classes"}},
        LayoutCase{"ImagesBesideAreSaid",
                   "{a,b}/1.jpg {x,y}.png",
                   "",
                   "- a 1; - b 1",
                   {"passed over: 2 images beside the class folders"}},
        LayoutCase{"SameFoldersInEachClass",
                   "{cat,dog}/{indoor,outdoor}/1.jpg",
                   "",
                   "error 2",
                   {"cat/ (with indoor/, outdoor/)", "dog/ (with", "--splits none"}},
        LayoutCase{"SameFoldersInEachClassDecided",
                   "{cat,dog}/{indoor,outdoor}/1.jpg",
                   "none",
                   "- cat 2; - dog 2",
                   {}}),
    name_of_layout);

INSTANTIATE_TEST_SUITE_P(
    Splits, LayoutTest,
    ::testing::Values(
        LayoutCase{"TrainValidTest",
                   "{train,valid,test}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1; test cat 1; test dog 1",
                   {"train/ is train", "valid/ is validation", "test/ is test",
                    "6 images of 2 classes: train 2, validation 2, test 2"}},
        LayoutCase{"Capitals",
                   "{Train,Validation,TEST}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1; test cat 1; test dog 1",
                   {"Train/ is train"}},
        LayoutCase{"TrainingTesting",
                   "{Training,Testing}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; test cat 1; test dog 1",
                   {"Training/ is train", "Testing/ is test", "training draws from train"}},
        LayoutCase{"TrainingSet",
                   "{training_set,test_set}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; test cat 1; test dog 1",
                   {}},
        LayoutCase{"TrainDev",
                   "{train,dev}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {"dev/ is validation"}},
        LayoutCase{"WithYears",
                   "{train2017,val2017}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {}},
        LayoutCase{"WithTwice",
                   "train/train/{cat,dog}/1.jpg test/test/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; test cat 1; test dog 1",
                   {"train/train/ is train"}},
        LayoutCase{
            "OtherWords",
            "seg_train/seg_train/{cat,dog}/1.jpg seg_test/seg_test/{cat,dog}/1.jpg seg_pred/seg_pred/1.jpg",
            "",
            "error 2",
            {"seg_train/ (with cat/, dog/)", "seg_pred/", "--splits train=seg_train,test=seg_test", ""}},
        LayoutCase{
            "OtherWordsDecided",
            "seg_train/seg_train/{cat,dog}/1.jpg seg_test/seg_test/{cat,dog}/1.jpg seg_pred/seg_pred/1.jpg",
            "train=seg_train,validation=seg_test",
            "train cat 1; train dog 1; validation cat 1; validation dog 1",
            {"seg_train/seg_train/ is train", "passed over: seg_pred/: 1 image: --splits does not name it"}},
        LayoutCase{"TrainAndUnknown",
                   "{train,eval}/{cat,dog}/1.jpg",
                   "",
                   "error 2",
                   {"train/ (with cat/, dog/)", "eval/ (with", "--splits train=train,validation=eval"}},
        LayoutCase{"AdviceHasTraining",
                   "{trainval,test}/{cat,dog}/1.jpg",
                   "",
                   "error 2",
                   {"--splits train=FOLDER,test=test,"}},
        LayoutCase{"AdviceHasTrainingBesideValidation",
                   "{valid,invalid}/{cat,dog}/1.jpg",
                   "",
                   "error 2",
                   {"--splits train=FOLDER,validation=valid,"}},
        LayoutCase{
            "OnlyUnknown", "{part1,part2}/{cat,dog}/1.jpg", "", "error 2", {"part1/", "part2/", "--splits"}},
        LayoutCase{"OnlyUnknownOneLacksAClass",
                   "part1/{cat,dog}/1.jpg part2/cat/1.jpg",
                   "",
                   "error 2",
                   {"part1/", "part2/"}},
        LayoutCase{"ASplitBesideItsClasses",
                   "{cat,dog}/1.jpg holdout/{cat,dog}/1.jpg",
                   "",
                   "error 2",
                   {"holdout/ (with cat/, dog/)"}},
        LayoutCase{"ATestSplitBesideTheClasses",
                   "{cat,dog}/1.jpg test/{cat,dog}/1.jpg",
                   "",
                   "error 2",
                   {"test/ (with cat/, dog/)"}},
        LayoutCase{"ValidationLacksAClass",
                   "train/{a,b,c}/1.jpg val/{a,b}/1.jpg",
                   "",
                   "train a 1; train b 1; train c 1; validation a 1; validation b 1",
                   {}},
        LayoutCase{"TrainingLacksAClass",
                   "train/{a,b}/1.jpg val/{a,z}/1.jpg",
                   "",
                   "error 3",
                   {"class 'z' has validation images but no training images"}},
        LayoutCase{"Wnids",
                   "{train,val}/{n01440764,n01443537}/1.JPEG",
                   "",
                   "train n01440764 1; train n01443537 1; validation n01440764 1; validation n01443537 1",
                   {}},
        LayoutCase{"Numbers",
                   "{train,test}/{0,1,2}/1.png",
                   "",
                   "train 0 1; train 1 1; train 2 1; test 0 1; test 1 1; test 2 1",
                   {}},
        LayoutCase{"ClassesCalledLikeSplits",
                   "{train,val}/{control,test}/1.png",
                   "",
                   "train control 1; train test 1; validation control 1; validation test 1",
                   {}},
        LayoutCase{"TwoValidations",
                   "{train,val,valid}/{a,b}/1.jpg",
                   "",
                   "error 2",
                   {"two folders are the validation split"}},
        LayoutCase{"NoTraining",
                   "{val,test}/{a,b}/1.jpg",
                   "",
                   "validation a 1; validation b 1; test a 1; test b 1",
                   {}},
        LayoutCase{"TrainAlone", "train/{a,b}/1.jpg", "", "- a 1; - b 1", {"the folders lie in train/"}},
        LayoutCase{"FlatValidation",
                   "train/{a,b}/1.jpg val/{1,2}.jpg",
                   "",
                   "error 2",
                   {"a split folder holds no class folders", "val/ (2 images, no class folders)",
                    "--splits train=train"}},
        LayoutCase{"FlatValidationDecided",
                   "train/{a,b}/1.jpg val/{1,2}.jpg",
                   "train=train",
                   "- a 1; - b 1",
                   {"passed over: val/: 2 images: --splits does not name it"}},
        LayoutCase{"FlatTest",
                   "{train,val}/{a,b}/1.jpg test/{1,2}.jpg",
                   "",
                   "train a 1; train b 1; validation a 1; validation b 1",
                   {"passed over: test/: 2 images: it has no class folders"}},
        LayoutCase{"FlatTestInAFolder",
                   "{train,val}/{a,b}/1.jpg test/images/{1,2}.jpg",
                   "",
                   "train a 1; train b 1; validation a 1; validation b 1",
                   {"passed over: test/: 2 images"}},
        LayoutCase{"TestOfOneClassInAFolder",
                   "train/{a,b}/1.jpg test/a/sub/2.jpg",
                   "",
                   "train a 1; train b 1; test a 1",
                   {"test/ is test"}},
        LayoutCase{"ValidationOfOneClassInAFolder",
                   "train/data/{a,b}/1.jpg val/data/a/sub/2.jpg",
                   "",
                   "train a 1; train b 1; validation a 1",
                   {"val/data/ is validation"}},
        LayoutCase{"GivenTestOfOneClassInAFolder",
                   "{x,y}/{a,b}/1.jpg z/a/sub/2.jpg",
                   "train=x,validation=y,test=z",
                   "train a 1; train b 1; validation a 1; validation b 1; test a 1",
                   {"z/ is test"}},
        LayoutCase{"WrapperCalledLikeAClass",
                   "train/{control,test}/1.jpg test/test/{control,test}/1.jpg",
                   "",
                   "train control 1; train test 1; test control 1; test test 1",
                   {"test/test/ is test"}},
        LayoutCase{
            "TestOfAnotherName",
            "train/{a,b}/1.jpg test/other/sub/2.jpg",
            "",
            "train a 1; train b 1",
            {"passed over: test/: 1 image: no other split has a class called sub, so they have no labels"}},
        LayoutCase{"TrainAndFlatTest",
                   "train/{a,b}/1.jpg test/{1,2}.jpg",
                   "",
                   "train a 1; train b 1",
                   {"passed over: test/: 2 images", "draws from train"}},
        LayoutCase{"AllFlat",
                   "{train,test}/{1,2}.jpg",
                   "",
                   "error 2",
                   {"hold no class folders", "train/ (2 images", "--splits none"}},
        LayoutCase{"AllFlatDecided", "{train,test}/{1,2}.jpg", "none", "- test 2; - train 2", {}},
        LayoutCase{"TrainAndAFlatFolder",
                   "train/{a,b}/1.jpg pred/1.jpg",
                   "",
                   "error 2",
                   {"a folder may be a split or a class", "--splits train=train"}},
        LayoutCase{"FoldersBesideSplits",
                   "{train,val}/{a,b}/1.jpg pred/{1,2}.jpg extra/a/3.jpg",
                   "",
                   "train a 1; train b 1; validation a 1; validation b 1",
                   {"passed over: pred/: 2 images: is no split by its name", "passed over: extra/: 1 image"}},
        LayoutCase{"ImagesInASplit",
                   "{train,val}/{a,b}/1.jpg train/x.jpg",
                   "",
                   "train a 1; train b 1; validation a 1; validation b 1",
                   {"passed over: 1 image beside the class folders in train/"}},
        LayoutCase{"BelowTheClasses",
                   "{cat,dog}/{train,test}/1.jpg",
                   "",
                   "error 2",
                   {"split folders lie below other folders", "cat/ (with test/, train/)"}},
        LayoutCase{"BelowTheClassesDecided", "{cat,dog}/{train,test}/1.jpg", "none", "- cat 2; - dog 2", {}},
        LayoutCase{"TwoOfOneSplit",
                   "{a1,b1}/{cat,dog}/1.jpg c1/cat/2.jpg",
                   "train=a1,train=b1,test=c1",
                   "train cat 2; train dog 2; test cat 1",
                   {}},
        LayoutCase{"GivenByPath",
                   "data/{x,y}/{cat,dog}/1.jpg more/1.jpg",
                   "train=data/x,validation=data/y",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {"passed over: more/: 1 image"}},
        LayoutCase{"GivenButMissing",
                   "{a,b}/{cat,dog}/1.jpg",
                   "train=a,validation=c",
                   "error 2",
                   {"cannot find the split folder", ": c: ", "a/, b/"}},
        LayoutCase{"GivenTwice",
                   "{a,b}/{cat,dog}/1.jpg",
                   "train=a,train=./a/",
                   "error 2",
                   {"a split folder is named twice: --splits: ", ": a/: name each folder once"}},
        LayoutCase{"GivenTwiceByItsWrapper",
                   "data/{a,b}/{cat,dog}/1.jpg",
                   "train=a,test=data/a",
                   "error 2",
                   {"named twice: --splits: ", ": data/a/: "}},
        LayoutCase{"GivenBelowAnother",
                   "a/{x,y}/{cat,dog}/1.jpg b/{cat,dog}/1.jpg",
                   "test=a/x,train=a,validation=b",
                   "error 2",
                   {"a split folder lies below another one: --splits: ", ": a/x/ below a/: name"}},
        LayoutCase{"GivenButFlat",
                   "{a,b}/{cat,dog}/1.jpg c/1.jpg",
                   "train=a,validation=c",
                   "error 2",
                   {"holds no class folders", "c/ (1 image"}}),
    name_of_layout);

INSTANTIATE_TEST_SUITE_P(
    Wrappers, LayoutTest,
    ::testing::Values(
        LayoutCase{"One", "set/{cat,dog}/1.jpg", "", "- cat 1; - dog 1", {"the folders lie in set/"}},
        LayoutCase{"Several",
                   "set-master/data/images/{cat,dog}/1.jpg set-master/README.md",
                   "",
                   "- cat 1; - dog 1",
                   {"the folders lie in set-master/data/images/"}},
        LayoutCase{"AroundSplits",
                   "set/data/{train,val}/{cat,dog}/1.jpg",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {"set/data/train/ is train"}},
        LayoutCase{"BesideAnnotations",
                   "Data/{train,val}/{cat,dog}/1.jpg Annotations/train/{cat,dog}/1.xml",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {"passed over: Annotations/: holds no images", "2 .xml"}},
        LayoutCase{"NotWithImagesBeside",
                   "set/{cat,dog}/1.jpg 1.jpg",
                   "",
                   "error 3",
                   {"images of 1 class", "1 image beside"}}),
    name_of_layout);

INSTANTIATE_TEST_SUITE_P(
    PassedOver, LayoutTest,
    ::testing::Values(
        LayoutCase{"Mac",
                   "set/{cat,dog}/1.jpg __MACOSX/set/{cat,dog}/._1.jpg set/.DS_Store set/cat/._1.jpg",
                   "",
                   "- cat 1; - dog 1",
                   {"1 __MACOSX", "2 hidden"}},
        LayoutCase{"Windows",
                   "{cat,dog}/{1.jpg,Thumbs.db,desktop.ini}",
                   "",
                   "- cat 1; - dog 1",
                   {"2 Thumbs.db", "2 desktop.ini"}},
        LayoutCase{"Synology", "{cat,dog}/{1.jpg,@eaDir/1.jpg/x.jpg}", "", "- cat 1; - dog 1", {"2 @eaDir"}},
        LayoutCase{"Jupyter",
                   "{cat,dog}/1.jpg .ipynb_checkpoints/1.jpg cat/.ipynb_checkpoints/1.jpg",
                   "",
                   "- cat 1; - dog 1",
                   {"2 hidden"}},
        LayoutCase{"Sidecars",
                   "{cat,dog}/{1,2}.{jpg,json,txt,xml,parquet,html} notes.csv",
                   "",
                   "- cat 2; - dog 2",
                   {"passed over: 4 .html, 4 .json, 4 .parquet, 4 .txt, 4 .xml, 1 .csv: no images"}},
        LayoutCase{"ByContent",
                   "{cat,dog}/{picture,1.jpg_large,other,2.xyz}",
                   "",
                   "- cat 2; - dog 2",
                   {"2 .xyz, 2 without suffix"}},
        LayoutCase{"AnnotationsAreNoClass",
                   "{cat,dog}/1.jpg labels/1.xml",
                   "",
                   "- cat 1; - dog 1",
                   {"passed over: labels/: holds no images", "2 classes"}},
        LayoutCase{"OurOutput",
                   "{cat,dog}/1.jpg {out,out.old}/{model.h5,metrics.json,config.toml,images.csv,report.html} "
                   "out.checkpoint .out.abc123/model.h5",
                   "",
                   "- cat 1; - dog 1",
                   {"passed over: out/, out.old/: headstart's own output", "1 .checkpoint", "2 classes"}},
        LayoutCase{
            "OurCache",
            "{cat,dog}/1.jpg cache/0123456789abcdef/{extractor.json,block5_pool/segment-1.h5} cache/stat",
            "",
            "- cat 1; - dog 1",
            {"passed over: cache/: headstart's own output", "2 classes"}},
        LayoutCase{"OurOutputBesideSplits",
                   "{train,val}/{cat,dog}/1.jpg out/{metrics.json,config.toml}",
                   "",
                   "train cat 1; train dog 1; validation cat 1; validation dog 1",
                   {"out/: headstart's own output"}},
        LayoutCase{"NotOurOutput",
                   "{cat,dog}/1.jpg out/{metrics.json,config.toml,mine.jpg}",
                   "",
                   "- cat 1; - dog 1; - out 1",
                   {}},
        LayoutCase{"FlatFolder",
                   "{1,2,3}.jpg",
                   "",
                   "error 3",
                   {"the images of the dataset have no labels", "3 images lie in no class folder"}},
        LayoutCase{"NoImages", "{cat,dog}/1.txt", "", "error 3", {"the dataset has no images", "2 .txt"}}),
    name_of_layout);

TEST(SplitFoldersOption, IsParsedOrRefused) {
  EXPECT_EQ(parse_split_folders("auto"), SplitFolders{});
  EXPECT_EQ(parse_split_folders("none")->kind, SplitFolders::Kind::kNone);
  EXPECT_THAT(parse_split_folders("train=a,val=b/c/,test=./d=e")->folders,
              ElementsAre(std::pair{Split::kTrain, "a"}, std::pair{Split::kValidation, "b/c"},
                          std::pair{Split::kTest, "d=e"}));
  for (const char* wrong : {"", "train", "train=", "train=a,", "holdout=a", "none,train=a", "=a", "train=/"})
    EXPECT_EQ(parse_split_folders(wrong), std::nullopt) << wrong;
}

TEST(WellKnownSplit, IsOneWordInAnyCase) {
  for (const char* name :
       {"train", "TRAIN", "Training", "training_set", "train-data", "trainset", "Train Images"})
    EXPECT_EQ(well_known_split(name), Split::kTrain) << name;
  for (const char* name : {"val", "Valid", "validation", "dev", "val_2"})
    EXPECT_EQ(well_known_split(name), Split::kValidation) << name;
  for (const char* name :
       {"trainer", "seg_train", "eval", "trainval", "testament", "", "2017", "t\xC3\xA9st"})
    EXPECT_EQ(well_known_split(name), std::nullopt) << name;
}

}  // namespace
}  // namespace headstart
