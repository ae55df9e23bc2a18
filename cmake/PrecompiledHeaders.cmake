# The headers that most files read, compiled once: reading them takes longer than all else in most files. A file must
# still include what it uses: builds without precompiled headers (the presets for developers) show where one does not.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
  set(wanted OFF)  # ccache keeps nothing that was compiled with them
else()
  set(wanted ON)
endif()
option(CHAINRULE_PRECOMPILED_HEADERS "Compile the headers that most files read once" ${wanted})

# chainrule_precompile(TARGET SET): the target's files read a set of headers first.
function(chainrule_precompile target set)
  if(CHAINRULE_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${set})
  endif()
endfunction()

# chainrule_precompiled_set(NAME OPTIONS... LIBRARIES... HEADERS...): a set of headers, for targets of the same options.
function(chainrule_precompiled_set name)
  cmake_parse_arguments(arg "" "" "OPTIONS;LIBRARIES;HEADERS" ${ARGN})
  if(NOT CHAINRULE_PRECOMPILED_HEADERS)
    return()
  endif()
  file(WRITE "${PROJECT_BINARY_DIR}/precompiled/${name}.cpp" "")
  add_library(${name} OBJECT "${PROJECT_BINARY_DIR}/precompiled/${name}.cpp")
  target_compile_options(${name} PRIVATE ${arg_OPTIONS})
  target_link_libraries(${name} PRIVATE chainrule_build_flags fmt::fmt ${arg_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

set(CHAINRULE_STANDARD_HEADERS
  <algorithm> <array> <chrono> <cmath> <cstdint> <cstring> <exception> <filesystem> <functional> <limits> <memory>
  <numbers> <optional> <span> <stdexcept> <string> <string_view> <system_error> <unordered_map> <utility> <vector>
  <fmt/format.h>)
chainrule_precompiled_set(chainrule_precompiled HEADERS ${CHAINRULE_STANDARD_HEADERS})
chainrule_precompiled_set(chainrule_precompiled_json
  LIBRARIES nlohmann_json::nlohmann_json
  HEADERS ${CHAINRULE_STANDARD_HEADERS} <nlohmann/json.hpp>)
chainrule_precompiled_set(chainrule_precompiled_options
  LIBRARIES Boost::program_options
  HEADERS ${CHAINRULE_STANDARD_HEADERS} <boost/program_options.hpp>)
