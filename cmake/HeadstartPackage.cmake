# `cmake --build --preset release --target package`: headstart_VERSION_ARCHITECTURE.deb, the program with its manual.
# Dependencies are those of the libraries that it is linked with, as dpkg-shlibdeps finds them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME headstart)
set(CPACK_PACKAGE_VENDOR "the headstart authors")
set(CPACK_PACKAGE_CONTACT "The headstart authors <headstart@example.org>" CACHE STRING "Maintainer of the package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "image classifiers from folders of labelled images")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Two components make the one package: the names of its files are those of the group.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime debian)
set(CPACK_COMPONENT_RUNTIME_GROUP program)
set(CPACK_COMPONENT_DEBIAN_GROUP program)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME headstart)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
"A folder of labelled images in, a trained classifier out: offline, on an
ordinary CPU, without Python. A frozen VGG16 looks at every image once, its
activations are cached, and a dense head is trained on the cache in seconds.

The model is an HDF5 file that Keras loads. The weights of VGG16, by Karen
Simonyan and Andrew Zisserman (CC BY 4.0), are part of the program.")

# What Debian's policy asks of every package. gzip -n: no time stamp, so that equal sources give equal files.
configure_file(packaging/changelog.in ${PROJECT_BINARY_DIR}/debian/changelog @ONLY)
execute_process(COMMAND gzip -9n --force ${PROJECT_BINARY_DIR}/debian/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES packaging/copyright ${PROJECT_BINARY_DIR}/debian/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT debian EXCLUDE_FROM_ALL)

include(CPack)
