// pipeline/options/general_options.cpp
#include "pipeline/options/general_options.hpp"

#include "pipeline/options/option.hpp"

namespace headstart {

void describe_general(OptionList& list, GeneralOptions& options) {
  list.start_group("General");
  list({.name = "threads", .help = "Threads of every pool", .low = 1, .high = 4096, .harmless = true},
       options.threads);
  list({.name = "quiet", .help = "Only warnings and errors on stderr", .in_config = false}, options.quiet);
  list({.name = "verbose",
        .help = "Every reject and every decoder warning on stderr, and at the end where the time went",
        .excluded_by = "quiet",
        .in_config = false},
       options.verbose);
  list.start_group("Options");
}

}  // namespace headstart
