// features/cache/extractor_configuration.hpp: all settings that change a feature's value, and the fingerprint
// that names them. Not included: tap, engine, batch size, threads. (fp32 engines agree to 1e-5, and each
// segment records its engine.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/image/decode.hpp"
#include "data/image/resize.hpp"
#include "data/image/sample_range.hpp"
#include "data/sha256.hpp"
#include "features/engines/precision.hpp"
#include "features/feature_type.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

/// Equal configurations give equal rows, up to the rounding of an engine.
struct ExtractorConfiguration {
  Network network = vgg16();
  Sha256 weights_identity;
  Preprocessing preprocessing;
  ResizeOptions resize;
  Alpha alpha = Alpha::kWhite;
  bool ignore_exif = false;
  std::optional<SampleRange> range = std::nullopt;  ///< of samples of more than 8 bits
  Precision precision = Precision::kFp32;
  FeatureType storage = FeatureType::kFloat32;  ///< of the cached rows, which are rounded to it

  /// The content of extractor.json. Canonical JSON: sorted keys, no spaces, one line feed at the end.
  [[nodiscard]] std::string canonical_json() const;
  /// Longer files are not read.
  static constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{1} << 20;
  /// The configuration whose canonical_json() is `json`; nothing if there is none.
  [[nodiscard]] static std::optional<ExtractorConfiguration> parse(std::string_view json);
  /// First 16 hexadecimal digits of the SHA-256 of canonical_json().
  [[nodiscard]] std::string fingerprint() const;
};

}  // namespace headstart
