// pipeline/run/inspection_work.hpp: an inspection inside a command: its threads, its bar, and Ctrl-C.
#pragma once

#include "pipeline/process/session.hpp"
#include "pipeline/run/inspection.hpp"

namespace headstart {

/// `session` has to outlive the result. The caller ends the bar (Console::progress_done()).
[[nodiscard]] InspectionWork inspection_work(const Session& session);

}  // namespace headstart
