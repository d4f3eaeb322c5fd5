// pipeline/model/model_file.cpp
#include "pipeline/model/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/json_integer.hpp"
#include "memory/enum_names.hpp"
#include "pipeline/model/keras_model.hpp"
#include "pipeline/options/option.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 33;
constexpr std::uint64_t kMaxDescriptionBytes = std::uint64_t{1} << 28;

// ---- headstart's own description

/// The value that `key` names. @throws std::invalid_argument for a name that there is not
template <NamedEnum E>
E named(const Json& json, const char* key) {
  const auto text = json.at(key).get<std::string>();
  if (const std::optional<E> value = parse_name<E>(text)) return *value;
  throw std::invalid_argument(fmt::format("{} is '{}', needed {}", key, printable(text), joined_names<E>()));
}

/// The key of an option in JSON: "label_smoothing".
std::string json_key(const OptionFacts& facts) {
  std::string key(facts.name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

/// Writes the recorded ones of the options that describe() gives it.
struct JsonWriter {
  Json& json;

  template <typename T>
  void operator()(const OptionFacts& facts, const T& field) const {
    if (!facts.recorded) return;
    if constexpr (std::is_enum_v<T>) {
      json[json_key(facts)] = to_string(field);
    } else {
      json[json_key(facts)] = field;
    }
  }
};

/// Reads them; an option that the file does not have keeps its value.
struct JsonReader {
  const Json& json;

  template <typename T>
  void operator()(const OptionFacts& facts, T& field) const {
    const std::string key = json_key(facts);
    if (!facts.recorded || !json.contains(key)) return;
    if constexpr (std::is_enum_v<T>) {
      field = named<T>(json, key.c_str());
    } else {
      field = json.at(key).template get<T>();
    }
  }
};

Json split_json(const std::optional<SplitRecord>& split) {
  if (!split) return nullptr;
  return {{"seed", split->seed}, {"validation", split->validation}, {"rows_sha256", split->rows.hex()}};
}

Json training_json(const TrainingRecord& record) {
  Json json = Json::object();
  describe(JsonWriter{json}, record.options);
  json["views"] = record.views;
  json["penalty"] = record.penalty;
  json["split"] = split_json(record.split);
  return json;
}

Json description(const Model& model) {
  const ExtractorConfiguration& c = model.configuration;
  Json json{{"class_names", model.classes},
            {"tap", to_string(model.tap)},
            {"pooling", to_string(model.representation.pooling)},
            {"transform", to_string(model.representation.transform)},
            {"preprocessing",
             {{"channels", to_string(c.preprocessing.order)},
              {"scale", c.preprocessing.scale},
              {"mean", c.preprocessing.mean},
              {"deviation", c.preprocessing.deviation}}},
            {"input_size", c.resize.size},
            {"resize", to_string(c.resize.mode)},
            {"interpolation", to_string(c.resize.interpolation)},
            {"alpha", to_string(c.alpha)},
            {"ignore_exif", c.ignore_exif},
            {"precision", to_string(c.precision)},
            {"storage", to_string(c.storage)},
            {"weights_identity", c.weights_identity.hex()},
            {"fingerprint", c.fingerprint()},
            {"temperature", model.training.temperature},
            {"tuned_from_block", model.tuned_from_block},
            {"training", training_json(model.training)}};
  if (c.range) json["range"] = to_string(*c.range);
  if (c.resize.mode == ResizeMode::kShorterSide) json["crop_share"] = c.resize.crop_share;
  if (c.resize.antialias) json["antialias"] = true;
  // Models before 2026-12-01 name none: they are VGG16's.
  if (c.network != vgg16()) json["network"] = c.network.name;
  return json;
}

Error not_ours(const fs::path& file, std::string_view what) {
  return Error{Error::Kind::kFailed, "cannot read the model",
               fmt::format("{}: {}", printable(file.string()), what), "pass a model.h5 that headstart wrote"};
}

/// The representation; flattened maps without transform if the file has none. Models before there was a
/// choice have none.
Representation read_representation(const Json& json) {
  if (!json.contains("pooling") && !json.contains("transform")) return {};
  return {named<Pooling>(json, "pooling"), named<Transform>(json, "transform")};
}

/// The penalty; empty if the file has none.
std::optional<double> read_penalty(const Json& training) {
  if (!training.contains("penalty")) return std::nullopt;
  const auto penalty = training.at("penalty").get<double>();
  if (!(std::isfinite(penalty) && penalty >= 0.0)) throw std::invalid_argument("penalty");
  return penalty;
}

std::optional<SplitRecord> read_split(const Json& training) {
  if (!training.contains("split") || training.at("split").is_null()) return std::nullopt;
  const Json& split = training.at("split");
  const auto rows = Sha256::from_hex(split.at("rows_sha256").get<std::string>());
  if (!rows) throw std::invalid_argument("split: rows_sha256 is no SHA-256");
  return SplitRecord{json_integer<std::uint64_t>(split.at("seed")), split.at("validation").get<double>(),
                     *rows};
}

const Network& read_network(const Json& json) {
  if (!json.contains("network")) return vgg16();
  const auto name = json.at("network").get<std::string>();
  if (const Network* const network = find_network(name)) return *network;
  throw std::invalid_argument(fmt::format("network '{}', which this version doesn't know", printable(name)));
}

void read_description(const Json& json, Model& model) {
  model.classes = json.at("class_names").get<std::vector<std::string>>();
  ExtractorConfiguration& c = model.configuration;
  c.network = read_network(json);
  const auto tap = find_tap(c.network, json.at("tap").get<std::string>());
  if (!tap) throw std::invalid_argument("unknown tap");
  model.tap = *tap;
  model.representation = read_representation(json);
  const Json& preprocessing = json.at("preprocessing");
  c.preprocessing.order = named<ChannelOrder>(preprocessing, "channels");
  c.preprocessing.scale = preprocessing.at("scale").get<float>();
  c.preprocessing.mean = preprocessing.at("mean").get<std::array<float, 3>>();
  c.preprocessing.deviation = preprocessing.at("deviation").get<std::array<float, 3>>();
  c.resize.size = json_integer<int>(json.at("input_size"));
  if (c.resize.size < c.network.min_input_size || c.resize.size > c.network.max_input_size)
    throw std::invalid_argument("input_size");
  c.resize.mode = named<ResizeMode>(json, "resize");
  c.resize.interpolation = named<Interpolation>(json, "interpolation");
  c.resize.crop_share = json.value("crop_share", 1.0);
  if (!is_crop_share(c.resize.crop_share)) throw std::invalid_argument("crop_share");
  c.resize.antialias = json.value("antialias", false);
  c.alpha = named<Alpha>(json, "alpha");
  c.ignore_exif = json.at("ignore_exif").get<bool>();
  if (json.contains("range")) {
    c.range = parse_sample_range(json.at("range").get<std::string>());
    if (!c.range) throw std::invalid_argument("range");
  }
  c.precision = named<Precision>(json, "precision");
  if (json.contains("storage"))  // models before 2026-11-26 have none
    c.storage = named<FeatureType>(json, "storage");
  const auto identity = Sha256::from_hex(json.at("weights_identity").get<std::string>());
  if (!identity) throw std::invalid_argument("weights_identity is no SHA-256");
  c.weights_identity = *identity;
  const Json& training = json.at("training");
  describe(JsonReader{training}, model.training.options);
  model.training.temperature = json.value("temperature", 1.0);
  model.training.views = json_integer(training, "views", 0);  // models before 2026-11-24 have none
  model.training.split = read_split(training);
  model.tuned_from_block = json_integer(json, "tuned_from_block", 0);
  if (model.tuned_from_block < 0 || model.tuned_from_block > block_count(c.network))
    throw std::invalid_argument("tuned_from_block");
}

// ---- layers

template <typename T = float>
std::vector<T> read_finite(hid_t file, const fs::path& path, const std::string& dataset) {
  std::vector<T> values = hdf5::read<T>(file, dataset, kMaxElements);
  if (!std::all_of(values.begin(), values.end(), [](T v) { return std::isfinite(v); })) {
    throw not_ours(path, dataset + " holds values that are not finite");
  }
  return values;
}

std::string weights_path(const std::string& layer, const char* what) {
  return fmt::format("model_weights/{0}/{0}/{1}:0", layer, what);
}

ConvolutionWeights read_convolution(hid_t file, const fs::path& path, const Network& network,
                                    const NetworkLayer& layer) {
  const std::string& name = layer.name;
  const auto window = static_cast<std::uint64_t>(layer.window);
  const hdf5::Extents needed{window, window, static_cast<std::uint64_t>(layer.in_channels),
                             static_cast<std::uint64_t>(layer.out_channels)};
  if (hdf5::extents(file, weights_path(name, "kernel")) != needed ||
      hdf5::extents(file, weights_path(name, "bias")) != hdf5::Extents{needed[3]}) {
    throw not_ours(path, fmt::format("{} does not have {}'s shape", name, network.title));
  }
  return {read_finite(file, path, weights_path(name, "kernel")),
          read_finite(file, path, weights_path(name, "bias"))};
}

/// The identity under which rows of these weights may be published: the identity that the file claims, if the
/// file can prove it. An identity is a digest of all layers, but the file of a lower tap has only the
/// first ones. The first layers of the embedded weights are known. Other first layers get an identity of
/// their own.
Sha256 shown_identity(const Model& model, const fs::path& path) {
  const Sha256 claimed = model.configuration.weights_identity;
  const Network& network = model.weights.network;
  const Sha256 found = identity_up_to(model.weights, model.tap);
  const auto blocks = static_cast<std::size_t>(block_of(network, model.tap));
  const bool all = model.tap == network.taps.back();
  if (!all && claimed.hex() != kEmbeddedWeightsIdentity) return found;
  if (found.hex() != (all ? claimed.hex() : kEmbeddedIdentitiesUpToBlock.at(blocks - 1)))
    throw not_ours(path, "the convolution weights are not those that the head was trained on");
  return claimed;
}

Dense read_dense(hid_t file, const fs::path& path, const std::string& name, std::uint64_t inputs) {
  const hdf5::Extents extents = hdf5::extents(file, weights_path(name, "kernel"));
  if (extents.size() != 2 || extents[0] != inputs ||
      hdf5::extents(file, weights_path(name, "bias")) != hdf5::Extents{extents[1]}) {
    throw not_ours(path, fmt::format("{} does not take {} inputs", name, inputs));
  }
  const std::vector<float> kernel = read_finite(file, path, weights_path(name, "kernel"));
  const std::vector<float> bias = read_finite(file, path, weights_path(name, "bias"));
  Dense dense;
  dense.kernel = Eigen::Map<const Matrix>(kernel.data(), static_cast<Eigen::Index>(extents[0]),
                                          static_cast<Eigen::Index>(extents[1]));
  dense.bias = Eigen::Map<const RowVector>(bias.data(), static_cast<Eigen::Index>(extents[1]));
  return dense;
}

Json read_description_json(hid_t file, const fs::path& path) {
  if (!hdf5::exists(file, "headstart") || !hdf5::exists(file, "headstart/description")) {
    throw not_ours(path, "has no headstart/description");
  }
  const std::vector<std::uint8_t> bytes =
      hdf5::read<std::uint8_t>(file, "headstart/description", kMaxDescriptionBytes);
  return Json::parse(bytes.begin(), bytes.end());
}

// The values that were folded into the first Dense layer are stored beside the description. So training can
// go on with the rows as they were in training.
constexpr const char* kScale = "transform_scale";
constexpr const char* kMean = "transform_mean";
constexpr const char* kInverseDeviation = "transform_inverse_deviation";

void write_fitted(hid_t own, const FittedTransform& fitted) {
  if (fitted.transform == Transform::kScale)
    hdf5::write<float>(own, kScale, {1}, std::array<float, 1>{fitted.scale});
  if (fitted.transform != Transform::kStandardize) return;
  const auto size = static_cast<std::size_t>(fitted.mean.size());
  hdf5::write<double>(own, kMean, {size}, {fitted.mean.data(), size});
  hdf5::write<float>(own, kInverseDeviation, {size}, {fitted.inverse_deviation.data(), size});
}

FittedTransform read_fitted(hid_t file, const fs::path& path, Transform transform, std::uint64_t features) {
  const auto found = [&](const char* name) { return fmt::format("headstart/{}", name); };
  FittedTransform fitted;
  if (transform == Transform::kUnit) fitted.transform = transform;  // takes nothing from the rows
  if (transform == Transform::kScale && hdf5::exists(file, found(kScale))) {
    const std::vector<float> scale = read_finite(file, path, found(kScale));
    if (scale.size() != 1 || !(scale.front() > 0.0F)) throw not_ours(path, "its scale is not one number");
    fitted = {Transform::kScale, scale.front(), {}, {}};
  }
  if (transform == Transform::kStandardize && hdf5::exists(file, found(kMean))) {
    const std::vector<double> mean = read_finite<double>(file, path, found(kMean));
    const std::vector<float> inverse = read_finite(file, path, found(kInverseDeviation));
    if (mean.size() != features || inverse.size() != features)
      throw not_ours(path, "its transform is of other features");
    const auto size = static_cast<Eigen::Index>(features);
    fitted = {Transform::kStandardize, 1.0F, Eigen::Map<const Eigen::RowVectorXd>(mean.data(), size),
              Eigen::Map<const RowVector>(inverse.data(), size)};
  }
  return fitted;
}

/// Opens a model.h5. A user may give the result of headstart export instead, so this case has its own error.
hdf5::File open_model(const fs::path& path) {
  try {
    return hdf5::open_file(path);
  } catch (const Error&) {
    constexpr char kStartOfOnnx = 0x08;
    if (fs::is_regular_file(path) && std::ifstream(path, std::ios::binary).peek() == kStartOfOnnx)
      throw not_ours(path, "is an ONNX file, which is for other programs");
    throw;
  }
}

}  // namespace

TrainingRecord record_of(const TrainingOptions& options, double penalty) {
  TrainingRecord record;
  Json recorded = Json::object();
  describe(JsonWriter{recorded}, options);
  describe(JsonReader{recorded}, record.options);
  record.penalty = penalty;
  return record;
}

std::future<void> start_writing_model(const Model& model, const fs::path& path) {
  // In memory first: HDF5 1.10 crashes when it closes a file for which the disk had no room.
  hdf5::LendingFile file;
  write_keras_model(file, model);
  const hdf5::Group own = hdf5::create_group(file.id(), "headstart");
  hdf5::write_numbers<std::int32_t>(own.id(), "format_version", {},
                                    std::array<std::int32_t, 1>{kFormatVersion});
  hdf5::write_string(own.id(), "fingerprint", model.configuration.fingerprint());
  const std::string text = description(model).dump();
  hdf5::write<std::uint8_t>(own.id(), "description", {text.size()},
                            {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  write_fitted(own.id(), model.fitted);
  auto parts = file.close();
  return std::async(std::launch::async,
                    [file = std::move(file), parts = std::move(parts), path] { write_file(path, parts); });
}

void write_model(const Model& model, const fs::path& path) { start_writing_model(model, path).get(); }

Model read_model(const fs::path& path) {
  const hdf5::File file = open_model(path);
  Model model;
  std::optional<double> penalty;
  try {
    const Json json = read_description_json(file.id(), path);
    read_description(json, model);
    penalty = read_penalty(json.at("training"));
  } catch (const nlohmann::json::exception& error) {
    throw not_ours(path, fmt::format("headstart/description: {}", error.what()));
  } catch (const std::invalid_argument& error) {
    throw not_ours(path, fmt::format("headstart/description: {}", error.what()));
  }
  const Network& network = model.configuration.network;
  model.weights = empty_weights(network);
  const std::vector<NetworkLayer> layers = convolutions(network);
  for (std::size_t i = 0; i < first_convolution(network, model.tap); ++i)
    model.weights.layers[i] = read_convolution(file.id(), path, network, layers[i]);
  model.weights.preprocessing = model.configuration.preprocessing;
  model.weights.identity = shown_identity(model, path);
  const MapShape shape = tap_shape(network, model.tap, model.configuration.resize.size);
  auto inputs = static_cast<std::uint64_t>(
      pooled_columns(model.representation.pooling, static_cast<std::int64_t>(shape.size()), shape.channels));
  model.fitted = read_fitted(file.id(), path, model.representation.transform, inputs);
  for (std::size_t i = 1;; ++i) {
    const std::string hidden = fmt::format("hidden_{}", i);
    const bool last = !hdf5::exists(file.id(), "model_weights/" + hidden);
    model.head.layers.push_back(read_dense(file.id(), path, last ? "predictions" : hidden, inputs));
    inputs = static_cast<std::uint64_t>(model.head.layers.back().kernel.cols());
    if (last) break;
  }
  if (inputs != model.classes.size()) {
    throw not_ours(path, fmt::format("{} outputs for {} class names", inputs, model.classes.size()));
  }
  model.training.penalty = penalty.value_or(l2_penalty(model.head, model.training.options.l2));
  return model;
}

}  // namespace headstart
