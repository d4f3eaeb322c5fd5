// examples/train_from_code.cpp: what `headstart train IMAGES` does, up to its model.h5: features of every
// image through the cache, a head trained on them, both as one model. The model is the same, byte for byte.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <headstart/data/error.hpp>
#include <headstart/head/insight/metrics.hpp>
#include <headstart/head/training/trainer.hpp>
#include <headstart/pipeline/model/embedded_weights.hpp>
#include <headstart/pipeline/model/model_file.hpp>
#include <headstart/pipeline/process/threads.hpp>
#include <headstart/pipeline/rows/dataset_extraction.hpp>
#include <headstart/pipeline/rows/represented_rows.hpp>
#include <headstart/pipeline/rows/stage_one.hpp>
#include <headstart/pipeline/run/run_files.hpp>
#include <headstart/pipeline/run/split_rows.hpp>
#include <vector>

namespace {

using namespace headstart;

void train(const std::filesystem::path& images, const std::filesystem::path& cache,
           const std::filesystem::path& file) {
  Console console(Verbosity::kNormal);
  const Session session{console, available_threads()};
  const ThreadLimit limit(session.threads);

  // Stage one: each image goes through VGG16 once. What the cache has is not computed again.
  StageOneOptions options;
  options.cache = cache;
  StageOne stage_one(load_weights(vgg16(), {}), {vgg16().default_tap}, options, session);
  ExtractedDataset dataset = extract_dataset(images, 2, options, session, stage_one);

  // A fifth of each class validates. Copies of an image stay on one side.
  TrainingOptions training;
  const double validation = 0.2;
  assign_splits(dataset, validation, training.seed);
  const SplitRows rows = split_rows(dataset);
  check_trainable(dataset, rows, ClassWeight::kNone, images.string(), console);

  // Stage two: [rows, 25088] -> 1024 -> classes, on rows that may be read from the cache a window at a time.
  const std::vector<Sha256> keys = keys_of(dataset);
  const StoredRows stored = cached_rows(stage_one, keys);
  const RepresentedRows features(stored, Representation{}, rows.training, 0);
  const auto classes = static_cast<int>(dataset.manifest.classes.size());
  training.threads = session.threads;
  TrainingHooks hooks;
  hooks.on_epoch = [](const EpochResult& epoch) {
    fmt::print("epoch {}: loss {:.4f}, accuracy {:.4f}\n", epoch.epoch + 1, epoch.loss, epoch.accuracy);
  };
  const TrainingResult trained =
      train_head(features.training_data(rows.labels, rows.training, rows.validation, classes),
                 initial_head(features.columns(), classes, training), training, hooks);

  Model model;
  model.weights = stage_one.weights();
  model.configuration = stage_one.configuration();
  model.head = trained.head;
  model.classes = dataset.manifest.classes;
  model.training = record_of(training, l2_penalty(trained.head, training.l2));
  model.training.split = SplitRecord{training.seed, validation, rows_digest(dataset)};
  write_model(model, file);
  fmt::print("{}: {} classes, {} training and {} validation images\n", file.string(), classes,
             rows.training.size(), rows.validation.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "train_from_code: error: wrong usage: train_from_code IMAGES CACHE MODEL.h5\n");
    return exit_code(Error::Kind::kUsage);
  }
  try {
    train(argv[1], argv[2], argv[3]);
  } catch (const Error& error) {
    fmt::print(stderr, "train_from_code: error: {}\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "train_from_code: error: {}\n", error.what());
    return 1;
  }
}
