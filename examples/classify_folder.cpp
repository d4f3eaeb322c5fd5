// examples/classify_folder.cpp: a trained model on new images: one line for each, with its class and the
// probability of that, or the reason why there is none.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <headstart/data/dataset/discovery.hpp>
#include <headstart/data/error.hpp>
#include <headstart/head/insight/metrics.hpp>
#include <headstart/head/layers/softmax_cross_entropy.hpp>
#include <headstart/pipeline/model/model_file.hpp>
#include <headstart/pipeline/model/model_session.hpp>
#include <headstart/pipeline/process/threads.hpp>
#include <headstart/pipeline/rows/stage_one.hpp>
#include <vector>

namespace {

using namespace headstart;

void classify(const std::filesystem::path& file, const std::filesystem::path& cache,
              const std::filesystem::path& folder) {
  Console console(Verbosity::kQuiet);
  const Session session{console, available_threads()};
  const ThreadLimit limit(session.threads);

  // The model says how images become rows, so that this cannot differ from its training.
  const Model model = read_model(file);
  StageOneOptions options = options_of(model, {});
  options.cache = cache;
  StageOne stage_one(model.weights, {model.tap}, options, session);

  const std::vector<ImageSource> images = list_images({folder});
  const Extraction extraction = stage_one.run(images);
  std::vector<Sha256> keys;  // of the images that have a row
  for (const ImageResult& image : extraction.images) {
    if (image.status != ImageStatus::kRejected) keys.push_back(image.content.value());
  }
  if (keys.empty())
    throw Error{Error::Kind::kData, "no usable image", folder.string(), "name a folder of images"};
  Matrix probabilities = predict(model, stage_one, keys);  // [keys, classes], logits still
  softmax(probabilities);
  const std::vector<std::int32_t> labels = predicted_classes(probabilities);

  std::size_t row = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::string name = printable(name_of(images[i]));
    if (extraction.images[i].status == ImageStatus::kRejected) {
      fmt::print("{}: no class: {}\n", name, extraction.images[i].reason);
      continue;
    }
    const std::int32_t label = labels[row];
    fmt::print("{}: {} ({})\n", name, model.classes[static_cast<std::size_t>(label)],
               probabilities(static_cast<Eigen::Index>(row), label));
    ++row;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "classify_folder: error: wrong usage: classify_folder MODEL.h5 CACHE FOLDER\n");
    return exit_code(Error::Kind::kUsage);
  }
  try {
    classify(argv[1], argv[2], argv[3]);
  } catch (const Error& error) {
    fmt::print(stderr, "classify_folder: error: {}\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "classify_folder: error: {}\n", error.what());
    return 1;
  }
}
