// pipeline/commands/count_command.cpp: headstart count: the classes of a dataset, and their images.
#include <fmt/format.h>

#include "pipeline/commands/commands.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/stage_one_report.hpp"

namespace headstart {
namespace {

struct CountOptions {
  std::filesystem::path dataset;
  ImageOptions images;
};

void describe_count(OptionList& list, CountOptions& options) {
  describe_dataset(list, options.dataset, options.images);
}

void run_count(const CountOptions& options, const Session& session) {
  fmt::print("{}", class_table(find_images(options.dataset, 1, options.images, session.console)));
}

}  // namespace

Command count_command() {
  return make_command<CountOptions>({.name = "count", .purpose = "The classes of a dataset, and their images"},
                                    describe_count, run_count);
}

}  // namespace headstart
