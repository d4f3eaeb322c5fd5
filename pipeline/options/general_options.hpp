// pipeline/options/general_options.hpp: the options that every command has besides its own.
#pragma once

namespace headstart {

class OptionList;

struct GeneralOptions {
  int threads = 1;
  bool quiet = false;
  bool verbose = false;
};

/// Adds them to `list`. They have to outlive it.
void describe_general(OptionList& list, GeneralOptions& options);

}  // namespace headstart
