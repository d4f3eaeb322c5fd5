// features/engines/opencv_network.hpp: a network, or the part of it above a tap (nearer to the output), as a
// network of OpenCV's DNN module for a fixed number of rows. It is built layer by layer from LayerParams, so
// no model file has to be parsed. A network on a device keeps its memory as long as it lives.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/engines/engine.hpp"
#include "features/network/weights.hpp"

namespace headstart {

/// Where a network runs.
struct OpencvDevice {
  cv::dnn::Backend backend = cv::dnn::DNN_BACKEND_OPENCV;
  cv::dnn::Target target = cv::dnn::DNN_TARGET_CPU;
};

class OpencvNetwork {
 public:
  /// @param options  only input_size, taps and from are used
  /// @throws cv::Exception
  OpencvNetwork(const NetworkWeights& weights, const EngineOptions& options, OpencvDevice device, int rows);

  [[nodiscard]] int rows() const noexcept { return rows_; }

  /// @param input    [rows, h, w, c], as for Engine::run()
  /// @param outputs  one span for each tap, [rows, h, w, c]
  /// @throws cv::Exception; Error if a tap does not have the expected size
  void run(std::span<const float> input, std::span<const std::span<float>> outputs);

  /// The layers that `backend` has no code for. OpenCV would run them on the CPU without a warning.
  [[nodiscard]] std::vector<std::string> layers_without(cv::dnn::Backend backend);

 private:
  void copy_out(const Tap& tap, const cv::Mat& blob, std::span<float> output) const;

  int rows_;
  int input_size_;
  Network definition_;
  MapShape start_;
  std::vector<Tap> taps_;
  std::vector<cv::String> output_names_;
  cv::dnn::Net network_;
  cv::Mat input_;
};

}  // namespace headstart
