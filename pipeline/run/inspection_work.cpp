// pipeline/run/inspection_work.cpp
#include "pipeline/run/inspection_work.hpp"

#include "pipeline/process/interrupt.hpp"

namespace headstart {

InspectionWork inspection_work(const Session& session) {
  return {.threads = session.threads,
          .cancellation = on_interrupt(),
          .progress = [&session](std::string_view stage, std::size_t done, std::size_t total) {
            session.console.progress(stage, done, total, "images", "");
          }};
}

}  // namespace headstart
