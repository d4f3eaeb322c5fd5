# What every target of ours shares: warnings, sanitizers, and the check that each public header compiles alone.

add_library(headstart_warnings INTERFACE)
target_compile_options(headstart_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wpedantic
  $<$<BOOL:${HEADSTART_WERROR}>:-Werror>
  $<$<NOT:$<BOOL:${HEADSTART_WERROR}>>:-Werror=switch> # a value that its to_string() forgets (memory/enum_names.hpp)
  # What GCC makes of anonymous namespaces in one of several sources that are compiled as one.
  $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
  # Clang at -O1 says of each "omp simd" that it does not vectorize.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
target_compile_definitions(headstart_warnings INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

add_library(headstart_sanitizers INTERFACE)
if(HEADSTART_SANITIZE)
  target_compile_options(headstart_sanitizers INTERFACE
    -fsanitize=${HEADSTART_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(headstart_sanitizers INTERFACE HEADSTART_SANITIZED)
  target_link_options(headstart_sanitizers INTERFACE -fsanitize=${HEADSTART_SANITIZE})
endif()

# A one-line source for each public header that has no .cpp of its name, so that a header which leans on its
# includer's includes does not build; one that has is included first there. Further arguments are libraries that the
# headers need and the folder keeps to itself. One build is enough to know it: sanitizer builds leave it out, and so do
# builds of several sources in one, in which missing includes don't show anyway.
function(headstart_check_headers target)
  if(HEADSTART_SANITIZE OR CMAKE_UNITY_BUILD)
    return()
  endif()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/*.hpp)
  set(sources)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "hpp$" "cpp" counterpart ${PROJECT_SOURCE_DIR}/${header})
    if(EXISTS ${counterpart})
      file(STRINGS ${counterpart} includes REGEX "^#include" LIMIT_COUNT 1)
      if(includes STREQUAL "#include \"${header}\"")
        continue()
      endif()
    endif()
    string(REPLACE "/" "_" name ${header})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/header_check/${name}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"  // IWYU pragma: keep\n")
    list(APPEND sources ${source})
  endforeach()
  if(sources)
    add_library(${target}_header_check OBJECT ${sources})
    target_link_libraries(${target}_header_check PRIVATE ${target} ${ARGN} headstart_warnings)
    set_target_properties(${target}_header_check PROPERTIES UNITY_BUILD OFF)
  endif()
endfunction()
