// head/openblas.cpp: Debian's OpenBLAS without threads hands out its work areas without a lock, so that two
// callers may get the same one, and wrong products. The linker's --wrap (cmake/HeadstartOpenblas.cmake) leads
// these two functions of the static library through here.
#include "head/openblas.hpp"

#include <mutex>

extern "C" {
void openblas_set_num_threads(int threads);
#if HEADSTART_STATIC_OPENBLAS
// NOLINTBEGIN(readability-identifier-naming): names that --wrap makes
void* __real_blas_memory_alloc(int purpose);
void __real_blas_memory_free(void* area);
void* __wrap_blas_memory_alloc(int purpose);
void __wrap_blas_memory_free(void* area);
// NOLINTEND(readability-identifier-naming)
#endif
}

namespace headstart {

void use_one_openblas_thread() noexcept {
  [[maybe_unused]] static const bool done = (openblas_set_num_threads(1), true);
}

}  // namespace headstart

#if HEADSTART_STATIC_OPENBLAS
namespace {

// Never destroyed: a computation that was left behind may still use it when the process ends.
std::mutex& work_areas() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

}  // namespace

void* __wrap_blas_memory_alloc(int purpose) {
  const std::lock_guard lock(work_areas());
  return __real_blas_memory_alloc(purpose);
}

void __wrap_blas_memory_free(void* area) {
  const std::lock_guard lock(work_areas());
  __real_blas_memory_free(area);
}
#endif
