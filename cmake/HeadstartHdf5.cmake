# headstart_hdf5_c: HDF5's C library, without its shared form where Debian's static one can be linked. The shared one
# loads 36 libraries, curl and Kerberos among them, for a driver of remote files (ros3) that nothing here asks for. HDF5
# 1.14 names that driver where it reads the environment's HDF5_DRIVER: there the driver of local files takes its place.
find_package(HDF5 REQUIRED COMPONENTS C)
include(CheckCSourceCompiles)

function(headstart_find_static_hdf5)
  foreach(library IN LISTS HDF5_C_LIBRARIES)
    get_filename_component(folder ${library} DIRECTORY)
    list(APPEND folders ${folder})
  endforeach()
  find_library(HEADSTART_HDF5_LIBRARY libhdf5.a HINTS ${folders})
  find_library(HEADSTART_SZIP_LIBRARY NAMES libsz.a sz)
  find_library(HEADSTART_AEC_LIBRARY NAMES libaec.a aec)
  find_library(HEADSTART_Z_LIBRARY z)
  set(libraries -Wl,--defsym=H5FD_ros3_init=H5FD_sec2_init ${HEADSTART_HDF5_LIBRARY} ${HEADSTART_SZIP_LIBRARY} ${HEADSTART_AEC_LIBRARY} ${HEADSTART_Z_LIBRARY}
                ${CMAKE_DL_LIBS} m)
  set(CMAKE_REQUIRED_QUIET ON)
  set(CMAKE_REQUIRED_INCLUDES ${HDF5_C_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  check_c_source_compiles("
    #include <hdf5.h>
    int main(void) { return H5Fopen(\"file\", H5F_ACC_RDONLY, H5P_DEFAULT) >= 0; }" HEADSTART_STATIC_HDF5)
  set(libraries ${libraries} PARENT_SCOPE)
endfunction()

headstart_find_static_hdf5()
add_library(headstart_hdf5_c INTERFACE IMPORTED)
if(HEADSTART_STATIC_HDF5)
  target_include_directories(headstart_hdf5_c INTERFACE ${HDF5_C_INCLUDE_DIRS})
  target_link_libraries(headstart_hdf5_c INTERFACE ${libraries})
else()
  target_link_libraries(headstart_hdf5_c INTERFACE hdf5::hdf5)
endif()
