# headstart_openblas: OpenBLAS with LAPACK. Debian's static library without threads is taken where it can be linked:
# headstart's workers share the blocks out, so that no result depends on their number. It adds 0.8 ms to a start; the
# shared library with threads adds 2 ms, and a thread for each processor. The symbols stay inside, because libtorch brings
# a BLAS of its own. The library without threads is not made for callers that are threads: --wrap leads its handing out of
# work areas through a lock (head/openblas.cpp).
include(CheckCSourceCompiles)
include(CheckCSourceRuns)

function(headstart_find_openblas)
  set(CMAKE_REQUIRED_QUIET ON)
  set(declared "
    void dlatrd_(void); void dsytd2_(void); void dsyr2k_(void); void dstedc_(void); void dormtr_(void); void sgemm_(void); void openblas_set_num_threads(int);
    int openblas_get_parallel(void);
    int calls(void) { openblas_set_num_threads(1); dlatrd_(); dsytd2_(); dsyr2k_(); dstedc_(); dormtr_(); sgemm_(); return 0; }")
  find_library(HEADSTART_OPENBLAS_LIBRARY libopenblas.a PATH_SUFFIXES openblas-serial)
  find_library(HEADSTART_GFORTRAN_LIBRARY NAMES libgfortran.so.5 gfortran)
  if(HEADSTART_OPENBLAS_LIBRARY AND HEADSTART_GFORTRAN_LIBRARY)
    set(libraries -Wl,--exclude-libs,libopenblas.a,--wrap=blas_memory_alloc,--wrap=blas_memory_free
                  ${HEADSTART_OPENBLAS_LIBRARY} ${HEADSTART_GFORTRAN_LIBRARY} Threads::Threads m)
    set(CMAKE_REQUIRED_LIBRARIES ${libraries})
    check_c_source_compiles("${declared}
      void *__real_blas_memory_alloc(int); void *__wrap_blas_memory_alloc(int i) { return __real_blas_memory_alloc(i); }
      void __real_blas_memory_free(void *); void __wrap_blas_memory_free(void *p) { __real_blas_memory_free(p); }
      int main(void) { return calls(); }" HEADSTART_STATIC_OPENBLAS)
  endif()
  if(NOT HEADSTART_STATIC_OPENBLAS)
    find_library(HEADSTART_SHARED_OPENBLAS_LIBRARY openblas)
    set(libraries ${HEADSTART_SHARED_OPENBLAS_LIBRARY})
    if(HEADSTART_SHARED_OPENBLAS_LIBRARY)
      set(CMAKE_REQUIRED_LIBRARIES ${libraries})
      check_c_source_runs("${declared}
        int main(int count, char **arguments) { return count > 1 ? calls() : !openblas_get_parallel(); }"
        HEADSTART_SHARED_OPENBLAS)
    endif()
    if(NOT HEADSTART_SHARED_OPENBLAS)
      message(FATAL_ERROR "OpenBLAS with LAPACK is missing: install it (Debian: libopenblas-serial-dev)")
    endif()
  endif()
  set(libraries ${libraries} PARENT_SCOPE)
endfunction()

headstart_find_openblas()
add_library(headstart_openblas INTERFACE IMPORTED)
target_link_libraries(headstart_openblas INTERFACE ${libraries})
