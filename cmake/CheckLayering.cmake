# The layers point one way (see docs/design.md): fails when a source file includes or names what its layer may not.
# Run as: cmake -DSOURCE=<root> -P CheckLayering.cmake
set(violations "")

# check(<folder regex> <forbidden regex> <what is said>): over lines of .h and .cpp files whose path matches.
function(check folder except forbidden said)
  file(GLOB_RECURSE files RELATIVE "${SOURCE}" "${SOURCE}/io/*.h" "${SOURCE}/io/*.cpp" "${SOURCE}/model/*.h"
    "${SOURCE}/model/*.cpp" "${SOURCE}/pipeline/*.h" "${SOURCE}/pipeline/*.cpp")
  foreach(file IN LISTS files)
    if(NOT file MATCHES "${folder}" OR (except AND file MATCHES "${except}"))
      continue()
    endif()
    file(STRINGS "${SOURCE}/${file}" lines REGEX "${forbidden}")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^ *//")
        message(SEND_ERROR "${file}: ${said}: ${line}")
      endif()
    endforeach()
  endforeach()
endfunction()

check("^io/" "" "#include \"(model|pipeline)/" "io/ may not include this layer")
check("^model/" "" "#include \"(io|pipeline)/" "model/ may not include this layer")
check("^pipeline/" "^pipeline/cli/" "#include \"pipeline/cli/" "only the command line includes pipeline/cli/")
check("." "^pipeline/comm/" "(^|[^A-Za-z_])MPI_[A-Z]|#include <mpi" "only pipeline/comm/ names MPI_")
check("." "^io/hdf5/" "(^|[^A-Za-z_])H5[A-Z][a-z]|#include <hdf5" "only io/hdf5/ names H5")
check("." "^model/onednn/" "dnnl::|dnnl_|#include [<\"].*dnnl" "only model/onednn/ names dnnl")
check("^(io|model)/" "" "#include <boost/" "options belong to pipeline/cli/")
check("^model/" "" "nlohmann" "model/ knows no JSON")
check("^(io|model|pipeline)/.*(utils|common)" "" "." "no utils, no common")
