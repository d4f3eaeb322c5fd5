// pipeline/options/stage_one_description.cpp
#include "pipeline/options/stage_one_description.hpp"

#include "data/text_encoding.hpp"
#include "features/extraction/extractor.hpp"

namespace headstart {

const Choices<Tap>& tap_choices() {
  static const Choices<Tap> choices = [] {
    Choices<Tap> taps;
    for (const Tap& tap : vgg16().taps) taps.emplace_back(tap.name, tap);
    return taps;
  }();
  return choices;
}

void describe_model(OptionList& list, std::filesystem::path& model) {
  list({.name = "model", .help = "model.h5 of a training run", .positional = true, .required = true}, model);
}

void describe_dataset(OptionList& list, std::filesystem::path& dataset, ImageOptions& images) {
  list(
      {.name = "dataset",
       .help = "A folder with one folder per class; or one with train/, validation/ and test/ (or the like), "
               "each with one folder per class; or a .csv or .tsv (columns path, label; optionally split, "
               "group); or archives: .tar, .tar.gz, .tar.xz, .zip, a .txt that lists some, "
               "'shards-{000..127}.tar', or a folder of them",
       .excluded_by = "features",
       .positional = true,
       .required = true,
       .harmless = true},
      dataset);
  list.text(
      {.name = "encoding",
       .help = "What class names that are not UTF-8 are written in: latin1, gbk, shift-jis ... [none "
               "may be]",
       .value = "NAME",
       .harmless = true},
      images.encoding,
      [](const std::string& name) {
        return name.empty() || knows_encoding(name) ? std::optional(name) : std::nullopt;
      },
      [](const std::string& name) { return name; },
      "one that `iconv --list` has, such as latin1, gbk or shift-jis");
  list.start_group("Images");
  list.text(
      {.name = "splits",
       .help = "Which folders of the dataset are its splits: auto, by what they are called and hold; "
               "none, each is a class; or a list: train=FOLDER,validation=FOLDER,test=FOLDER, of which "
               "each may be left out",
       .value = "SPLIT=FOLDER,...",
       .excluded_by = "features"},
      images.splits, parse_split_folders, [](const SplitFolders& splits) { return to_string(splits); },
      "auto, none, or a list like train=A,validation=B,test=C");
  list.add(
      {.name = "allow-outside",
       .help = "Let a dataset that is a .csv or a list of archives name files outside of its own folder",
       .excluded_by = "features",
       .harmless = true},
      OptionKind::kFlag, {},
      [&images](const std::vector<std::string>& words) {
        images.outside_paths = words.back() == "true" ? OutsidePaths::kAllowed : OutsidePaths::kRefused;
      },
      [&images]() -> std::optional<ConfigValue> { return images.outside_paths == OutsidePaths::kAllowed; });
  list.start_group("Options");
}

void describe_cache_folder(OptionList& list, std::filesystem::path& cache) {
  list({.name = "cache",
        .help = "Cache folder [$XDG_CACHE_HOME/headstart, else ~/.cache/headstart]",
        .value = "DIR",
        .excluded_by = "features",
        .harmless = true},
       cache);
}

void describe_network(OptionList& list, Network& network, std::filesystem::path& weights) {
  static const Choices<Network> networks = [] {
    Choices<Network> choices;
    for (const Network& known : known_networks()) choices.emplace_back(known.name, known);
    return choices;
  }();
  list.choice({.name = "network",
               .help = "The frozen network; all but vgg16 need --weights",
               .excluded_by = "features",
               .harmless = true},
              network, networks);
  describe_weights(list, weights);
}

void describe_weights(OptionList& list, std::filesystem::path& weights) {
  list({.name = "weights",
        .help = "The network's weights: a .h5 file of Keras, safetensors or ONNX [VGG16's ImageNet weights, "
                "which are embedded]",
        .value = "FILE",
        .harmless = true},
       weights);
}

void describe_engine(OptionList& list, StageOneOptions& options) {
  describe_cache_folder(list, options.cache);
  list({.name = "engine", .help = "What runs the network", .excluded_by = "features", .harmless = true},
       options.engine);
  list({.name = "engine-batch",
        .help = "Images in one run of the network; 0: what suits the engine",
        .high = 4096,
        .in_0_1_0 = "batch-size",
        .excluded_by = "features",
        .harmless = true},
       options.batch_size);
  list({.name = "rehash",
        .help = "Read every file again, also files that look unchanged",
        .excluded_by = "features"},
       options.rehash);
}

void describe_views(OptionList& list, int& views, std::string_view help) {
  list({.name = "views", .help = help, .high = kMaxViews, .excluded_by = "features"}, views);
}

void describe_admission(OptionList& list, ImageOptions& images) {
  list.start_group("Images");
  list({.name = "on-error",
        .help = "What a broken image does: it is left out with a reason, or the run fails",
        .excluded_by = "features",
        .harmless = true},
       images.on_error);
  list.text(
      {.name = "max-rejects",
       .help = "Most broken images to accept; more: exit code 3",
       .value = "N|P%",
       .excluded_by = "features",
       .harmless = true},
      images.max_rejects, parse_reject_limit, [](const RejectLimit& limit) { return to_string(limit); },
      "a number or a share like 5%");
  list({.name = "max-pixels",
        .help = "Larger images are rejected undecoded",
        .low = 1,
        .high = 1e12,
        .excluded_by = "features",
        .harmless = true},
       images.decode.max_pixels);
  list.start_group("Options");
}

void describe_extractor(OptionList& list, StageOneOptions& options) {
  ImageOptions& images = options.images;
  list({.name = "storage",
        .help = "How activations are cached: float16 makes the cache 25 % smaller and changes features by "
                "about 0.02 %; each has rows of its own",
        .excluded_by = "features"},
       options.storage);
  list.start_group("Images");
  list({.name = "input-size",
        .help = "Height and width of the network's input",
        .low = kMinInputSize,
        .high = kMaxInputSize,
        .excluded_by = "features"},
       images.resize.size);
  list({.name = "resize",
        .help = "The whole image; its largest centred square; or the centre after the shorter side became "
                "input size / crop share, as torchvision and timm do it",
        .excluded_by = "features"},
       images.resize.mode);
  // The two have no value where an image is resized as before they existed: the identity of a run stays.
  const OptionFacts crop_share{
      .name = "crop-share",
      .help = "The share of the shorter side that --resize shorter-side keeps, timm's crop_pct [1]",
      .low = kMinCropShare,
      .high = 1.0,
      .excluded_by = "features"};
  list.add(
      crop_share, OptionKind::kNumber, "N",
      [&images, crop_share](const std::vector<std::string>& words) {
        images.resize.crop_share = number_of<double>(words.back(), crop_share);
      },
      [&images]() -> std::optional<ConfigValue> {
        if (images.resize.crop_share == 1.0) return std::nullopt;
        return images.resize.crop_share;
      });
  list({.name = "interpolation", .help = "How pixels are resampled", .excluded_by = "features"},
       images.resize.interpolation);
  list.add(
      {.name = "antialias",
       .help = "Resample as Pillow does: where an image is reduced, every pixel counts",
       .excluded_by = "features"},
      OptionKind::kFlag, {},
      [&images](const std::vector<std::string>& words) { images.resize.antialias = words.back() == "true"; },
      [&images]() -> std::optional<ConfigValue> {
        return images.resize.antialias ? std::optional<ConfigValue>(true) : std::nullopt;
      });
  list({.name = "alpha", .help = "Transparency: composed over white, or ignored", .excluded_by = "features"},
       images.decode.alpha);
  list({.name = "ignore-exif", .help = "Ignore the EXIF rotation", .excluded_by = "features"},
       images.decode.ignore_exif);
  list.text(
      {.name = "range",
       .help = "Of images of more than 8 bits: what becomes black and white, in the file's values or "
               "in percentiles of the image [their high byte counts]",
       .value = "LOW:HIGH",
       .excluded_by = "features"},
      images.decode.range, parse_sample_range,
      [](const std::optional<SampleRange>& range) { return range ? to_string(*range) : ""; },
      "numbers like 0:4095, or percentiles like 1%:99%");
  list.start_group("Options");
  describe_admission(list, images);
}

void describe_dry_run(OptionList& list, bool& dry_run) {
  list({.name = "dry-run", .help = "Only say what would be done, and what it costs", .in_config = false},
       dry_run);
}

}  // namespace headstart
