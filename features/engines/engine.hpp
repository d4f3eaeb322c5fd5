// features/engines/engine.hpp: the interface of all engines. An engine runs VGG16, or the part of it above a
// tap (nearer to the output). It takes a batch of preprocessed images, or of activations at that tap, and
// gives the activations of one or more taps. Invariant: a row never depends on the other rows of its batch,
// so the last batch may be padded with any finite values.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/engines/precision.hpp"
#include "features/network/vgg16.hpp"
#include "features/network/weights.hpp"

namespace headstart {

/// The engines that can run the network.
enum class EngineKind { kAuto, kNative, kOnednn, kOpencv, kOpencvCuda, kOpencvCudaFp16 };

/// "auto", "native", "onednn", "opencv", "opencv-cuda", "opencv-cuda-fp16".
[[nodiscard]] std::string_view to_string(EngineKind kind) noexcept;
/// The kind of that name; nothing if there is none.
[[nodiscard]] std::optional<EngineKind> parse_engine_kind(std::string_view name) noexcept;

/// The precision in which the engine computes features.
[[nodiscard]] Precision precision_of(EngineKind kind) noexcept;

/// Which engine to open, and what it has to compute.
struct EngineOptions {
  EngineKind kind = EngineKind::kAuto;
  int batch_size = 0;    ///< images a run (the engine batch); 0: what suits the engine
  int input_size = 224;  ///< height and width of the input
  std::vector<Tap> taps{Tap::kBlock5Pool};
  /// The network begins with the activations at this tap, which is below all of `taps` (nearer to the image).
  /// None: begins with images.
  std::optional<Tap> from = std::nullopt;
  int threads = 0;  ///< 0: all that the process may use
};

/// The engine and how it computes. Printed, and recorded in every segment.
struct EngineDescription {
  std::string name;            ///< "onednn"
  std::string version;         ///< of the library: "oneDNN 2.6.3"
  std::string implementation;  ///< how it computes: "winograd F(4x4,3x3) in 12 layers, direct in 1"
  Precision precision = Precision::kFp32;
};

/// The end of EngineDescription::implementation for an engine that begins at a tap: ", from block4_pool";
/// else empty.
[[nodiscard]] std::string from_tap(std::optional<Tap> from);

/// VGG16 for a fixed batch and input size. Not thread-safe: only one thread may call it. It starts threads of
/// its own.
class Engine {
 public:
  virtual ~Engine() = default;

  /// The engine's name, version and method.
  [[nodiscard]] virtual const EngineDescription& description() const noexcept = 0;
  /// How many images one run() takes.
  [[nodiscard]] virtual int batch_size() const noexcept = 0;
  /// Height and width of the images, also for an engine that begins at a tap.
  [[nodiscard]] virtual int input_size() const noexcept = 0;
  /// The tap at which the engine begins; none: it begins with images.
  [[nodiscard]] virtual std::optional<Tap> from() const noexcept = 0;
  /// The taps whose activations run() writes, in this order.
  [[nodiscard]] virtual std::span<const Tap> taps() const noexcept = 0;

  /// Runs one batch.
  /// @param batch    [batch_size, h, w, c] with the shape start_shape(from(), input_size()). Activations, or
  /// preprocessed images with channels in the weights' order
  /// @param outputs  one span for each of taps(), [batch_size, h, w, c] with the shape tap_shape()
  virtual void run(std::span<const float> batch, std::span<const std::span<float>> outputs) = 0;
};

/// Opens the engine and checks its results (see self_check.hpp). kAuto takes opencv-cuda if a device works,
/// else native: a fixed rule, without timing.
/// @throws Error kUsage for options out of range; kFailed saying exactly what is missing: a named engine is
/// never replaced by another
[[nodiscard]] std::unique_ptr<Engine> open_engine(const Vgg16Weights& weights, const EngineOptions& options);

/// The engine that open_engine(kAuto) would open here.
[[nodiscard]] EngineKind choose_engine();

/// Whether an engine can run here, and if not, what is missing. For `headstart info`.
struct EngineAvailability {
  EngineKind kind;
  bool available;
  std::string detail;  ///< version and device, or what is missing
};
/// The availability of all engines but kAuto.
[[nodiscard]] std::vector<EngineAvailability> list_engines();

}  // namespace headstart
