# tests/one_name.cmake: every type of the headers has a name of its own. All lie in one namespace, so two types with one name
# in different folders compile and link, and then run with each other's functions (the one-definition rule).
#   cmake -DROOT=<source tree> -P one_name.cmake
# Fails too if it found nothing to check.
cmake_minimum_required(VERSION 3.25)

foreach(folder memory data features head pipeline)
  file(GLOB_RECURSE headers ${ROOT}/${folder}/*.hpp)
  foreach(header IN LISTS headers)
    file(STRINGS ${header} definitions REGEX "^(struct|class|enum class) [A-Za-z0-9_]+[^;]*{")
    foreach(definition IN LISTS definitions)
      string(REGEX REPLACE "^(struct|class|enum class) ([A-Za-z0-9_]+).*" "\\2" name "${definition}")
      if(DEFINED place_of_${name} AND NOT place_of_${name} STREQUAL header)
        message(SEND_ERROR "${name} is in ${place_of_${name}} and in ${header}: rename one")
      endif()
      set(place_of_${name} ${header})
      math(EXPR checked "${checked} + 1")
    endforeach()
  endforeach()
endforeach()
if(NOT checked)
  message(FATAL_ERROR "no header of ${ROOT} defines a type")
endif()
message(STATUS "${checked} types")
