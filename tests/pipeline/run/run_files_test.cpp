// tests/pipeline/run/run_files_test.cpp
#include "pipeline/run/run_files.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

ExtractedDataset three_samples() {
  ExtractedDataset dataset;
  dataset.manifest.classes = {"cat", "dog, small"};
  dataset.manifest.samples = {{"cat/1.jpg", {"/d/cat/1.jpg"}, 0, Split::kTrain, ""},
                              {"cat/broken.jpg", {"/d/cat/broken.jpg"}, 0, Split::kUnassigned, ""},
                              {"dog, small/\"2\".jpg", {"/d/dog"}, 1, Split::kValidation, ""}};
  dataset.extraction.images.resize(3);
  dataset.extraction.images[0] = {ImageStatus::kExtracted, sha256("one"), "", "", {}};
  dataset.extraction.images[1] = {ImageStatus::kRejected, sha256("two"), "JPEG ends early", "", {}};
  dataset.extraction.images[2] = {ImageStatus::kCached, sha256("three"), "", "extraneous bytes", {}};
  for (const ImageResult& image : dataset.extraction.images) dataset.content.push_back(image.content);
  dataset.used = {0, 2};
  return dataset;
}

TEST(ImagesCsv, HasARowForEverySampleInOrder) {
  const ExtractedDataset dataset = three_samples();
  EXPECT_EQ(images_csv(dataset),
            "path,label,split,sha256,status,reason\n"
            "cat/1.jpg,cat,train," +
                sha256("one").hex() +
                ",used,\n"
                "cat/broken.jpg,cat,," +
                sha256("two").hex() +
                ",rejected,JPEG ends early\n"
                "\"dog, small/\"\"2\"\".jpg\",\"dog, small\",validation," +
                sha256("three").hex() + ",used,extraneous bytes\n");
}

TEST(PredictionsCsv, NamesTheMostProbableClass) {
  const ExtractedDataset dataset = three_samples();
  Matrix probabilities(1, 2);
  probabilities << 0.25F, 0.75F;
  const std::vector<std::size_t> rows{2};
  EXPECT_EQ(predictions_csv(dataset.manifest, rows, probabilities, 0),
            "path,label,predicted,probability,cat,\"dog, small\"\n"
            "\"dog, small/\"\"2\"\".jpg\",\"dog, small\",\"dog, small\",0.75,0.25,0.75\n");
}

TEST(PredictionsCsv, RanksAsManyClassesAsAskedFor) {
  const ExtractedDataset dataset = three_samples();
  Matrix probabilities(1, 2);
  probabilities << 0.25F, 0.75F;
  const std::vector<std::size_t> rows{2};
  EXPECT_EQ(predictions_csv(dataset.manifest, rows, probabilities, 2),
            "path,label,predicted,probability,predicted_2,probability_2\n"
            "\"dog, small/\"\"2\"\".jpg\",\"dog, small\",\"dog, small\",0.75,cat,0.25\n");
  EXPECT_EQ(predictions_csv(dataset.manifest, {}, Matrix(0, 2), 1), "path,label,predicted,probability\n");
}

TEST(PredictionsCsv, HasAColumnForEachClassUpToAHundred) {
  EXPECT_EQ(ranked_classes(0, 100), 0U);
  EXPECT_EQ(ranked_classes(0, 101), 5U);
  EXPECT_EQ(ranked_classes(3, 10), 3U);
  EXPECT_EQ(ranked_classes(1000, 101), 101U);
}

TEST(PredictionsCsv, OfAThousandClassesIsSmall) {
  ExtractedDataset dataset = three_samples();
  for (int c = 0; c < 1000; ++c) dataset.manifest.classes.push_back("class " + std::to_string(c));
  const auto classes = static_cast<Eigen::Index>(dataset.manifest.classes.size());
  const Matrix probabilities = Matrix::Constant(2, classes, 1.0F / static_cast<float>(classes));
  const std::vector<std::size_t> rows{0, 2};
  const std::string csv = predictions_csv(dataset.manifest, rows, probabilities,
                                          ranked_classes(0, dataset.manifest.classes.size()));
  EXPECT_LT(csv.size(), 500U);
}

TEST(HistoryCsv, LeavesCellsEmptyWithoutValidation) {
  EXPECT_EQ(history_csv({{0, 1.5, 0.25, std::nullopt, std::nullopt, 0.001, 0.5}}),
            "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,1.5,0.25,,,0.001,0.500000\n");
}

TEST(ClassIndices, KeepTheOrderOfTheClasses) {
  EXPECT_EQ(class_indices_json({"b", "a\"", "c"}), "{\n  \"b\": 0,\n  \"a\\\"\": 1,\n  \"c\": 2\n}\n");
}

TEST(ClassIndices, SurviveNamesThatAreNotUtf8) { EXPECT_NE(class_indices_json({"\xff\xfe", "a"}), ""); }

TEST(RowsDigest, ChangesWithContentSplitAndLabel) {
  const Sha256 digest = rows_digest(three_samples());
  ExtractedDataset other = three_samples();
  other.manifest.samples[2].split = Split::kTrain;
  EXPECT_NE(rows_digest(other), digest);
  other = three_samples();
  other.content[0] = sha256("changed");
  EXPECT_NE(rows_digest(other), digest);
  other = three_samples();
  other.manifest.samples[0].path = "renamed.jpg";
  EXPECT_EQ(rows_digest(other), digest);
}

}  // namespace
}  // namespace headstart
