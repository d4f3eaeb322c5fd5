// features/engines/cuda_support.cpp
#include "features/engines/cuda_support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/core/cuda.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>
#include <optional>
#include <sstream>

namespace headstart {
namespace {

/// The text behind "NAME:" on a line of the report, without blanks around it.
std::optional<std::string_view> line_of(std::string_view report, std::string_view name) {
  const std::size_t found = report.find(fmt::format("{}:", name));
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view line = report.substr(found + name.size() + 1);
  line = line.substr(0, line.find('\n'));
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::string_view();
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

/// "13.0" for "YES (ver 13.0, CUBLAS)"; "of unknown version" for another YES; empty for NO.
std::string version_in(const std::optional<std::string_view>& line) {
  if (!line || !line->starts_with("YES")) return {};
  constexpr std::string_view kBefore = "(ver ";
  const std::size_t found = line->find(kBefore);
  if (found == std::string_view::npos) return "of unknown version";
  const std::string_view version = line->substr(found + kBefore.size());
  return std::string(version.substr(0, version.find_first_of(",) ")));
}

int without_dot(const std::string& architecture) {
  std::string digits = architecture;
  std::erase(digits, '.');
  return std::atoi(digits.c_str());
}

/// Code for a compute capability also runs on later ones of the same major number.
bool runs_on(const std::vector<std::string>& architectures, const CudaDevice& device) {
  return std::any_of(architectures.begin(), architectures.end(), [&](const std::string& architecture) {
    const int number = without_dot(architecture);
    return number / 10 == device.compute_major && number % 10 <= device.compute_minor;
  });
}

}  // namespace

CudaBuild parse_cuda_build(std::string_view report) {
  CudaBuild build;
  build.cuda = version_in(line_of(report, "NVIDIA CUDA"));
  if (build.cuda.empty()) return build;
  build.cudnn = version_in(line_of(report, "cuDNN"));
  std::istringstream architectures(std::string(line_of(report, "NVIDIA GPU arch").value_or("")));
  for (std::string architecture; architectures >> architecture;) build.architectures.push_back(architecture);
  return build;
}

CudaFacts find_cuda(OpencvTarget wanted) {
  CudaFacts facts;
  facts.build = parse_cuda_build(cv::getBuildInformation());
  facts.driver = find_cuda_driver();
  if (facts.build.cuda.empty() || !facts.driver.problem.empty()) return facts;
  facts.devices = cv::cuda::getCudaEnabledDeviceCount();
  if (facts.devices <= 0) return facts;  // asking the DNN module about a missing device may throw
  const cv::dnn::Target target =
      precision_of(wanted) == Precision::kFp16 ? cv::dnn::DNN_TARGET_CUDA_FP16 : cv::dnn::DNN_TARGET_CUDA;
  const auto targets = cv::dnn::getAvailableTargets(cv::dnn::DNN_BACKEND_CUDA);
  facts.dnn_target_works = std::find(targets.begin(), targets.end(), target) != targets.end();
  return facts;
}

std::string missing_for_cuda(const CudaFacts& facts, OpencvTarget target) {
  const std::string opencv = fmt::format("this OpenCV ({})", cv::getVersionString());
  const CudaDriver& driver = facts.driver;
  if (facts.build.cuda.empty()) {
    std::string device;
    if (!driver.devices.empty())
      device = fmt::format("; scripts/build-opencv-cuda makes one for the device here: {}",
                           describe(driver.devices.front()));
    return opencv + " was built without CUDA" + device;
  }
  if (facts.build.cudnn.empty()) return opencv + " was built without cuDNN, which its DNN module needs";
  if (!driver.problem.empty()) return driver.problem;
  if (facts.devices < 0)
    return fmt::format("the NVIDIA driver runs CUDA {} at most, {} was built with {}: update the driver",
                       cuda_version_text(driver.version), opencv, facts.build.cuda);
  if (facts.devices == 0) return opencv + " finds no CUDA device (is CUDA_VISIBLE_DEVICES empty?)";
  if (!runs_on(facts.build.architectures, driver.devices.front()))
    return fmt::format("{} was built for compute capability {}, the device is {}", opencv,
                       fmt::join(facts.build.architectures, " "), describe(driver.devices.front()));
  if (facts.dnn_target_works) return {};
  if (target == OpencvTarget::kCudaFp16)
    return fmt::format("the DNN module of {} offers no 16-bit CUDA target on {}", opencv,
                       describe(driver.devices.front()));
  return fmt::format("the DNN module of {} was built without CUDA (OPENCV_DNN_CUDA)", opencv);
}

std::string describe(const CudaFacts& facts) {
  std::string devices;
  for (const CudaDevice& device : facts.driver.devices) devices += "; " + describe(device);
  return fmt::format("CUDA {}, cuDNN {}{}; driver for CUDA up to {}", facts.build.cuda, facts.build.cudnn,
                     devices, cuda_version_text(facts.driver.version));
}

}  // namespace headstart
