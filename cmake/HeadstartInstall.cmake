# What `cmake --install` puts where. Components: runtime is the program with its manual, development the libraries with
# their headers for find_package(headstart), site and debian what differs between /usr/local and a Debian package.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(HEADSTART_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/headstart)

# headstart_install_library(FOLDER HEADER...): installs headstart_FOLDER as headstart::FOLDER. The headers are its
# interface; what they include is installed with them, and nothing else.
function(headstart_install_library folder)
  set_target_properties(headstart_${folder} PROPERTIES EXPORT_NAME ${folder})
  install(TARGETS headstart_${folder} EXPORT headstart
    ARCHIVE COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${CMAKE_INSTALL_INCLUDEDIR}/headstart)
  list(TRANSFORM ARGN PREPEND ${folder}/)
  set_property(GLOBAL APPEND PROPERTY HEADSTART_PUBLIC_HEADERS ${ARGN})
endfunction()

function(headstart_install_development)
  # All folders at once.
  add_library(headstart_all INTERFACE)
  set_target_properties(headstart_all PROPERTIES EXPORT_NAME headstart)
  target_link_libraries(headstart_all INTERFACE headstart_pipeline)
  set_target_properties(headstart_hdf5 PROPERTIES EXPORT_NAME hdf5)
  install(TARGETS headstart_all headstart_hdf5 EXPORT headstart)

  install(EXPORT headstart NAMESPACE headstart:: FILE headstartTargets.cmake DESTINATION ${HEADSTART_CMAKE_DIR}
    COMPONENT development)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/headstartConfig.cmake.in headstartConfig.cmake
    INSTALL_DESTINATION ${HEADSTART_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(headstartConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/headstartConfig.cmake
                ${CMAKE_CURRENT_BINARY_DIR}/headstartConfigVersion.cmake
                ${PROJECT_SOURCE_DIR}/cmake/HeadstartHdf5.cmake
                ${PROJECT_SOURCE_DIR}/cmake/HeadstartOpenblas.cmake
    DESTINATION ${HEADSTART_CMAKE_DIR} COMPONENT development)

  get_property(headers GLOBAL PROPERTY HEADSTART_PUBLIC_HEADERS)
  set(source ${PROJECT_SOURCE_DIR})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake.in install_headers.cmake @ONLY)
  install(SCRIPT ${CMAKE_CURRENT_BINARY_DIR}/install_headers.cmake COMPONENT development)
endfunction()

function(headstart_install_program)
  install(TARGETS headstart RUNTIME COMPONENT runtime)
  # Where the program looks for its plugins.
  install(TARGETS headstart_onednn headstart_opencv LIBRARY DESTINATION lib/headstart/plugins COMPONENT runtime)
  if(TARGET headstart_libtorch)
    # No part of the runtime: it needs libtorch, 400 MB.
    install(TARGETS headstart_libtorch LIBRARY DESTINATION lib/headstart/plugins COMPONENT libtorch)
  endif()
  set(reference ${PROJECT_BINARY_DIR}/reference)
  install(DIRECTORY ${reference}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
  install(FILES ${reference}/completion/headstart.bash RENAME headstart
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT runtime)
  install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/NOTICE ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime
    FILES_MATCHING PATTERN "*.md")

  # zsh looks into one folder for what an administrator installs, into another for Debian's packages.
  install(FILES ${reference}/completion/_headstart
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT site)
  install(FILES ${reference}/completion/_headstart
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT debian EXCLUDE_FROM_ALL)
endfunction()

function(headstart_install)
  headstart_install_program()
  headstart_install_development()
endfunction()
