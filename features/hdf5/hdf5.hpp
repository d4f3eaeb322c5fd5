// features/hdf5/hdf5.hpp: the HDF5 layer. It owns ids, wraps every C call that headstart uses once, and turns
// errors into exceptions. Nothing leads out of a file: links, external storage and virtual datasets are
// refused. Note: Debian's serial HDF5 allows one thread at a time, and callers have to ensure this.
//
// In all parts of the layer, `parent` is the id of an open file or group. `name` is a path below `parent`
// made of hard links only. Failures throw Error kFailed with the file's name (or "memory"), the object's path
// and the reason.
#pragma once

#include "features/hdf5/attribute.hpp"
#include "features/hdf5/dataset.hpp"
#include "features/hdf5/file.hpp"
#include "features/hdf5/handle.hpp"
#include "features/hdf5/lending_file.hpp"
#include "features/hdf5/matrix.hpp"
#include "features/hdf5/object.hpp"
#include "features/hdf5/string_dataset.hpp"
