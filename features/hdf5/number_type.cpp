// features/hdf5/number_type.cpp
#include "features/hdf5/number_type.hpp"

namespace headstart::hdf5 {

Type float16_type() {
  Type type{checked(H5Tcopy(H5T_IEEE_F32LE))};
  check(H5Tset_fields(type.id(), 15, 10, 5, 0, 10));
  check(H5Tset_size(type.id(), 2));
  check(H5Tset_ebias(type.id(), 15));
  return type;
}

bool is_float16(const Type& type) {
  const htri_t equal = H5Tequal(type.id(), float16_type().id());
  check(equal);
  return equal > 0;
}

}  // namespace headstart::hdf5
