// features/hdf5.hpp: the HDF5 layer: owned ids, and every C call that headstart uses wrapped once, errors as
// exceptions. Nothing ever leads out of a file: links, external storage and virtual datasets are refused.
// Surprise: Debian's serial HDF5 allows one thread at a time; callers see to that.
//
// In all of its parts `parent` is the id of an open file or group, `name` a path below it made of hard links
// only; failures throw Error kFailed with the file's name (or "memory"), the object's path and the reason.
#pragma once

#include "features/hdf5/attribute.hpp"
#include "features/hdf5/dataset.hpp"
#include "features/hdf5/file.hpp"
#include "features/hdf5/handle.hpp"
#include "features/hdf5/lending_file.hpp"
#include "features/hdf5/matrix.hpp"
#include "features/hdf5/object.hpp"
#include "features/hdf5/string_dataset.hpp"
