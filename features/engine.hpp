// features/engine.hpp: the interface of all that runs VGG16, or the part of it above a tap: a batch of
// preprocessed images, or of activations at that tap, in; one or more taps out.
// Invariant: a row never depends on its batch neighbours, so the tail of a data set may be padded with
// anything finite.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/precision.hpp"
#include "features/vgg16.hpp"
#include "features/weights.hpp"

namespace headstart {

/// What can run the network.
enum class EngineKind { kAuto, kNative, kOnednn, kOpencv, kOpencvCuda, kOpencvCudaFp16 };

/// "auto", "native", "onednn", "opencv", "opencv-cuda", "opencv-cuda-fp16".
[[nodiscard]] std::string_view to_string(EngineKind kind) noexcept;
/// The kind of that name; nothing if there is none.
[[nodiscard]] std::optional<EngineKind> parse_engine_kind(std::string_view name) noexcept;

/// What its features are computed in.
[[nodiscard]] Precision precision_of(EngineKind kind) noexcept;

/// Which engine, for what.
struct EngineOptions {
  EngineKind kind = EngineKind::kAuto;
  int batch_size = 0;    ///< images a run; 0: what suits the engine
  int input_size = 224;  ///< height and width of the input
  std::vector<Tap> taps{Tap::kBlock5Pool};
  /// Begins with the activations at this tap, which is below all of `taps`; none: with images.
  std::optional<Tap> from = std::nullopt;
  int threads = 0;  ///< 0: all that the process may use
};

/// What an engine is and how it computes; printed, and recorded in every segment.
struct EngineDescription {
  std::string name;            ///< "onednn"
  std::string version;         ///< of the library: "oneDNN 2.6.3"
  std::string implementation;  ///< what runs: "winograd F(4x4,3x3) in 12 layers, direct in 1"
  Precision precision = Precision::kFp32;
};

/// What an implementation is followed by if it begins at a tap: ", from block4_pool"; else nothing.
[[nodiscard]] std::string from_tap(std::optional<Tap> from);

/// VGG16 for a fixed batch and input size. Not thread-safe: one thread at a time; it uses threads of its own.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Who it is.
  [[nodiscard]] virtual const EngineDescription& description() const noexcept = 0;
  /// Images in one run().
  [[nodiscard]] virtual int batch_size() const noexcept = 0;
  /// Height and width of the images, also where it begins at a tap.
  [[nodiscard]] virtual int input_size() const noexcept = 0;
  /// The tap that it begins at; none: it begins with images.
  [[nodiscard]] virtual std::optional<Tap> from() const noexcept = 0;
  /// The taps that run() fills, in this order.
  [[nodiscard]] virtual std::span<const Tap> taps() const noexcept = 0;

  /// Runs one batch.
  /// @param batch    [batch_size, h, w, c] as start_shape(from(), input_size()) says: activations, or images,
  ///                 preprocessed, channels in the weights' order
  /// @param outputs  one span for each of taps(), [batch_size, h, w, c] as tap_shape() says
  virtual void run(std::span<const float> batch, std::span<const std::span<float>> outputs) = 0;
};

/// Opens the engine asked for and lets it prove itself (see self_check.hpp).
/// auto takes opencv-cuda where a device works, then native: a rule, never a timing.
/// @throws Error kFailed saying exactly what is missing: an engine that was asked for is never replaced by
/// another
[[nodiscard]] std::unique_ptr<Engine> open_engine(const Vgg16Weights& weights, const EngineOptions& options);

/// What open_engine(kAuto) would open here.
[[nodiscard]] EngineKind choose_engine();

/// Whether an engine can run here, and if not, what is missing; for `headstart info`.
struct EngineAvailability {
  EngineKind kind;
  bool available;
  std::string detail;  ///< version and device, or what is missing
};
/// All but kAuto.
[[nodiscard]] std::vector<EngineAvailability> list_engines();

}  // namespace headstart
