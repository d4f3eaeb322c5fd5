// pipeline/commands/shared_options.cpp
#include "pipeline/commands/shared_options.hpp"

#include <fmt/format.h>

#include "data/text_encoding.hpp"
#include "features/extraction/extractor.hpp"

namespace headstart {
namespace {

const Names<EngineKind> kEngines{{"auto", EngineKind::kAuto},
                                 {"opencv-cuda", EngineKind::kOpencvCuda},
                                 {"opencv-cuda-fp16", EngineKind::kOpencvCudaFp16},
                                 {"native", EngineKind::kNative},
                                 {"onednn", EngineKind::kOnednn},
                                 {"opencv", EngineKind::kOpencv}};

constexpr const char* kDatasetHelp =
    "A folder with one folder per class; or one with train/, validation/ and test/ (or the like), each with "
    "one "
    "folder per class; or a "
    ".csv or .tsv (columns path, label; optionally split, group); or archives: .tar, .tar.gz, .tar.xz, .zip, "
    "a .txt "
    "that lists some, 'shards-{000..127}.tar', or a folder of them";

}  // namespace

const Names<FeatureType>& feature_type_names() {
  static const Names<FeatureType> names{{"float32", FeatureType::kFloat32},
                                        {"float16", FeatureType::kFloat16}};
  return names;
}

void add_cache(CLI::App& app, std::filesystem::path& cache) {
  app.add_option("--cache", cache, "Cache folder [$XDG_CACHE_HOME/headstart, else ~/.cache/headstart]")
      ->type_name("DIR");
}

void add_network(CLI::App& app, Network& network, std::filesystem::path& weights) {
  static const Names<Network> networks = [] {
    Names<Network> names;
    for (const Network& known : known_networks()) names.emplace_back(known.name, known);
    return names;
  }();
  add_choice(app, "--network", network, networks, "The frozen network; all but vgg16 need --weights");
  app.add_option("--weights", weights,
                 "The network's weights: a .h5 file of Keras, safetensors or ONNX [VGG16's ImageNet weights, "
                 "which are embedded]")
      ->type_name("FILE");
}

void add_engine(CLI::App& app, StageOneOptions& options) {
  add_cache(app, options.cache);
  add_choice(app, "--engine", options.engine, kEngines, "What runs the network");
  add_number(app, "--batch-size", options.batch_size, 0, 4096,
             "Images in one run of the network; 0: what suits the engine");
  app.add_flag("--rehash", options.rehash,
               "Read every image, even one whose size and times say that it is as it was");
}

void add_views(CLI::App& app, int& views, const std::string& text) {
  add_number(app, "--views", views, 0, kMaxViews, text);
}

void add_admission(CLI::App& app, ImageOptions& images) {
  static const Names<OnError> on_error{{"skip", OnError::kSkip}, {"fail", OnError::kFail}};
  const std::string group = "Images";
  add_choice(app, "--on-error", images.on_error, on_error,
             "What a broken image does: it is left out with a reason, or the run fails")
      ->group(group);
  app.add_option_function<std::string>(
         "--max-rejects",
         [&images](const std::string& text) {
           const auto limit = parse_reject_limit(text);
           if (!limit)
             throw CLI::ValidationError("--max-rejects",
                                        fmt::format("is '{}', needed a number or a share like 5%", text));
           images.max_rejects = *limit;
         },
         "Most broken images to accept; more: exit code 3")
      ->type_name("N|P%")
      ->default_str("100%")
      ->group(group);
  add_number(app, "--max-pixels", images.decode.max_pixels, 1, 1e12, "Larger images are rejected undecoded")
      ->group(group);
}

void add_extractor(CLI::App& app, StageOneOptions& options) {
  add_choice(
      app, "--storage", options.storage, feature_type_names(),
      "How activations are cached: float16 takes less room and errs by up to 0.05 %; each has rows of its "
      "own");
  ImageOptions& images = options.images;
  static const Names<ResizeMode> modes{{"stretch", ResizeMode::kStretch}, {"crop", ResizeMode::kCrop}};
  static const Names<Interpolation> interpolations{{"bilinear", Interpolation::kBilinear},
                                                   {"nearest", Interpolation::kNearest}};
  static const Names<Alpha> alphas{{"white", Alpha::kWhite}, {"drop", Alpha::kDrop}};
  const std::string group = "Images";
  add_number(app, "--input-size", images.resize.size, kMinInputSize, kMaxInputSize,
             "Height and width of the network's input")
      ->group(group);
  add_choice(app, "--resize", images.resize.mode, modes, "The whole image, or its largest centred square")
      ->group(group);
  add_choice(app, "--interpolation", images.resize.interpolation, interpolations, "How pixels are resampled")
      ->group(group);
  add_choice(app, "--alpha", images.decode.alpha, alphas, "Transparency: composed over white, or ignored")
      ->group(group);
  app.add_flag("--ignore-exif", images.decode.ignore_exif,
               "Keep images as they are stored, not as they were held")
      ->group(group);
  app.add_option_function<std::string>(
         "--range",
         [&images](const std::string& text) {
           images.decode.range = parse_sample_range(text);
           if (!images.decode.range)
             throw CLI::ValidationError(
                 "--range",
                 fmt::format("is '{}', needed numbers like 0:4095, or percentiles like 1%:99%", text));
         },
         "Of images of more than 8 bits: what becomes black and white, in the file's values or in "
         "percentiles "
         "of the image [their high byte counts]")
      ->type_name("LOW:HIGH")
      ->group(group);
  add_admission(app, images);
}

void add_dataset(CLI::App& app, std::filesystem::path& dataset, ImageOptions& images) {
  app.add_option("dataset", dataset, kDatasetHelp)->required()->type_name("");
  app.add_option_function<std::string>(
         "--encoding",
         [&images](const std::string& name) {
           if (!name.empty() && !knows_encoding(name)) {
             throw CLI::ValidationError(
                 "--encoding",
                 fmt::format("is '{}', needed one that `iconv --list` has, such as latin1, gbk or shift-jis",
                             name));
           }
           images.encoding = name;
         },
         "What class names that are not UTF-8 are written in: latin1, gbk, shift-jis ... [none may be]")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--splits",
         [&images](const std::string& text) {
           const auto splits = parse_split_folders(text);
           if (!splits) {
             throw CLI::ValidationError(
                 "--splits",
                 fmt::format("is '{}', needed auto, none, or a list like train=A,validation=B,test=C", text));
           }
           images.splits = *splits;
         },
         "Which folders of the dataset are its splits: auto, by what they are called and hold; none, each is "
         "a "
         "class; or a list: train=FOLDER,validation=FOLDER,test=FOLDER, of which each may be left out")
      ->type_name("SPLIT=FOLDER,...")
      ->default_str("auto")
      ->group("Images");
  app.add_flag_function(
         "--allow-outside",
         [&images](std::int64_t count) {
           images.outside_paths = count > 0 ? OutsidePaths::kAllowed : OutsidePaths::kRefused;
         },
         "Let a dataset that is a .csv or a list of archives name files outside of its own folder")
      ->group("Images");
}

}  // namespace headstart
