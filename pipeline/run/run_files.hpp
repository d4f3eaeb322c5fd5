// pipeline/run/run_files.hpp: the text files of OUT: history.csv, predictions.csv, images.csv,
// class_indices.json.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "head/matrix.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

/// epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds: as Keras's CSVLogger. Cells are empty
/// without validation.
[[nodiscard]] std::string history_csv(const std::vector<EpochResult>& history);

/// How many classes of each image a file of predictions ranks.
/// @param asked    what a person asked for; 0: nothing
/// @param classes  how many there are
/// @return 0: a column for each class. That is so for up to 100 classes, unless a person asked. Above, a line
/// would be mostly zeros, so the first five classes are ranked
[[nodiscard]] std::size_t ranked_classes(int asked, std::size_t classes);

/// predicted,probability,predicted_2,probability_2, ...: the columns of `count` ranked classes.
[[nodiscard]] std::vector<std::string> ranked_columns(std::size_t count);

/// path,label,predicted,probability, then one column for each class, or those of the next classes.
/// @param samples        samples of the manifest, one for each row of `probabilities`
/// @param probabilities  [samples, classes]
/// @param ranked         ranked_classes()
[[nodiscard]] std::string predictions_csv(const Manifest& manifest, std::span<const std::size_t> samples,
                                          const Matrix& probabilities, std::size_t ranked);

/// path,label,split,sha256,status,reason: one line for every sample of the dataset, in order. The status is
/// used or rejected. The reason is that of the reject, or the decoder's warning about an image that is used.
[[nodiscard]] std::string images_csv(const ExtractedDataset& dataset);

/// {"birds": 0, ...}, as the class_indices of Keras's generators.
[[nodiscard]] std::string class_indices_json(const std::vector<std::string>& classes);

/// SHA-256 over a line "content split label" for each used sample, in order. Two runs with the same digest
/// used the same rows.
[[nodiscard]] Sha256 rows_digest(const ExtractedDataset& dataset);

}  // namespace headstart
