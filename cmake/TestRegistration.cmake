# How tests are registered: plain GoogleTest programs, GoogleTest programs under mpirun, and Python scripts.
include(GoogleTest)

# Ranks share the two cores of a small machine: no binding, waiting ranks yield, and nobody looks for fast networks.
set(CHAINRULE_MPIRUN_FLAGS --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 --mca pml ob1 --mca btl ^ofi
  CACHE STRING "Flags of mpirun in tests")
# Open MPI 5.0 finds no way between two processes of a host that has addresses of both families.
set(CHAINRULE_TEST_ENVIRONMENT
  OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_btl_tcp_disable_family=6)

# MPI keeps what it allocated until the process ends, and its plugins are gone by the time leaks are reported: whatever
# starts it is tested without looking for leaks.
if(CHAINRULE_SANITIZE STREQUAL "address")
  list(APPEND CHAINRULE_TEST_ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
elseif(CHAINRULE_SANITIZE STREQUAL "thread")
  # Other people's libraries are not built for it: what they do is not looked at.
  list(APPEND CHAINRULE_TEST_ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1)
  add_library(chainrule_openmp_for_thread_sanitizer OBJECT
    "${PROJECT_SOURCE_DIR}/tests/support/openmp_for_thread_sanitizer.cpp")
  target_link_libraries(chainrule_openmp_for_thread_sanitizer PRIVATE chainrule_build_flags)
endif()

# Tests that continuous integration runs with a sanitizer name it (SANITIZERS address thread). In a build with that
# sanitizer the target `sanitized_tests` makes them and ctest knows them by the label `sanitized`.
add_custom_target(sanitized_tests)
function(chainrule_sanitized target sanitizers labels)
  if(CHAINRULE_SANITIZE STREQUAL "thread" AND TARGET ${target} AND NOT target STREQUAL "chainrule" AND
     NOT target IN_LIST CHAINRULE_PROGRAM_TEST_TARGETS)
    target_link_libraries(${target} PRIVATE chainrule_openmp_for_thread_sanitizer)
  endif()
  if(CHAINRULE_SANITIZE IN_LIST sanitizers)
    add_dependencies(sanitized_tests ${target})
    set(${labels} sanitized PARENT_SCOPE)
  endif()
endfunction()

# Test sources gain nothing from the full optimiser, and compile in half the time without it; with what AddressSanitizer
# adds to them also without the little one. ThreadSanitizer makes each call and access that is left another call.
if(CHAINRULE_SANITIZE STREQUAL "address")
  set(CHAINRULE_TEST_OPTIONS -O0)
elseif(CHAINRULE_SANITIZE STREQUAL "thread")
  set(CHAINRULE_TEST_OPTIONS -O2)
else()
  set(CHAINRULE_TEST_OPTIONS -O1)
endif()

chainrule_precompiled_set(chainrule_precompiled_tests
  OPTIONS ${CHAINRULE_TEST_OPTIONS}
  LIBRARIES GTest::gmock
  HEADERS ${CHAINRULE_STANDARD_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)

# The libraries of rooms.
function(chainrule_targets_of rooms variable)
  set(targets "")
  foreach(room IN LISTS rooms)
    chainrule_room_target(${room} target)
    list(APPEND targets ${target})
  endforeach()
  set(${variable} ${targets} PARENT_SCOPE)
endfunction()

# Several sources of a program are compiled at a time, as those of rooms are, and one by one in tests/model.
function(chainrule_test_program name)
  add_executable(${name} ${ARGN})
  target_compile_options(${name} PRIVATE ${CHAINRULE_TEST_OPTIONS})
  chainrule_precompile(${name} chainrule_precompiled_tests)
  if(CHAINRULE_UNITY_BUILD AND NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "tests/model")
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# chainrule_unit_test(NAME SOURCES... ROOMS... LIBRARIES...): one program, one ctest entry per gtest case.
function(chainrule_unit_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;ROOMS;LIBRARIES;LABELS;SANITIZERS" ${ARGN})
  chainrule_test_program(${name} ${arg_SOURCES})
  chainrule_targets_of("${arg_ROOMS}" rooms)
  target_link_libraries(${name} PRIVATE chainrule_build_flags ${rooms} ${arg_LIBRARIES} GTest::gmock_main fmt::fmt
    nlohmann_json::nlohmann_json)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)  # gtest_discover_tests drops an empty value, and the next property's name takes its place
  endif()
  chainrule_sanitized(${name} "${arg_SANITIZERS}" arg_LABELS)
  gtest_discover_tests(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} PROCESSORS 1 LABELS "${arg_LABELS}"
    ENVIRONMENT "OMP_NUM_THREADS=1"
    # A property of its own: gtest_discover_tests takes lists of values apart.
    ENVIRONMENT_MODIFICATION "LSAN_OPTIONS=set:suppressions='${PROJECT_SOURCE_DIR}/tests/support/leaks_of_others.txt':print_suppressions=0"
    DISCOVERY_TIMEOUT 60)
endfunction()

# chainrule_mpi_test(NAME SOURCES... ROOMS... LIBRARIES... RANKS 1 2 3): one program (with tests/support/mpi_main.cpp), one
# ctest entry per rank count; all its cases run together.
function(chainrule_mpi_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;ROOMS;LIBRARIES;LABELS;RANKS;SANITIZERS" ${ARGN})
  chainrule_test_program(${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp)
  chainrule_targets_of("${arg_ROOMS}" rooms)
  target_link_libraries(${name} PRIVATE chainrule_build_flags ${rooms} ${arg_LIBRARIES} chainrule_pipeline_comm GTest::gmock fmt::fmt)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  chainrule_sanitized(${name} "${arg_SANITIZERS}" arg_LABELS)
  # Two numbers of ranks show a sanitizer what there is: threads hand each other something where there are other ranks,
  # even or odd; memory is another where there are none.
  if(CHAINRULE_SANITIZE IN_LIST arg_SANITIZERS)
    set(thread_ranks "^[23]$")
    set(address_ranks "^[13]$")
    list(FILTER arg_RANKS INCLUDE REGEX "${${CHAINRULE_SANITIZE}_ranks}")
    if(NOT arg_RANKS)
      message(FATAL_ERROR "${name} has no number of ranks that the ${CHAINRULE_SANITIZE} sanitizer runs")
    endif()
  endif()
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${name}.ranks_${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} ${CHAINRULE_MPIRUN_FLAGS} -n ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.ranks_${ranks} PROPERTIES TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
      LABELS "mpi;${arg_LABELS}" ENVIRONMENT "${CHAINRULE_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

# chainrule_program_test(NAME SCRIPT file.py): a Python unittest that drives the built program. What such tests stand on
# (tests/support/) is built with it and named in their environment. They wait more than they compute (for processes to
# start, for disks, for each other's ranks), and are given no processors of their own.
set(CHAINRULE_PROGRAM_TEST_TARGETS make_evaluation_fixture make_training_fixture failing_calls)
find_program(CHAINRULE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
function(chainrule_program_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;SCRIPT" "LABELS;SANITIZERS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  foreach(target IN ITEMS chainrule LISTS CHAINRULE_PROGRAM_TEST_TARGETS)
    chainrule_sanitized(${target} "${arg_SANITIZERS}" arg_LABELS)
  endforeach()
  add_test(NAME ${name} COMMAND ${CHAINRULE_PYTHON} -B -m unittest -v ${arg_SCRIPT}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  # Those that may take longest begin first, so that little is left to wait for at the end.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} PROCESSORS 1
    LABELS "program;${arg_LABELS}")
  set_property(TEST ${name} PROPERTY ENVIRONMENT ${CHAINRULE_TEST_ENVIRONMENT}
    "CHAINRULE_PROGRAM=$<TARGET_FILE:chainrule>" "CHAINRULE_MPIRUN=${MPIEXEC_EXECUTABLE}"
    "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support"
    "CHAINRULE_EVALUATION_FIXTURE=$<TARGET_FILE:make_evaluation_fixture>"
    "CHAINRULE_TRAINING_FIXTURE=$<TARGET_FILE:make_training_fixture>"
    "CHAINRULE_FAILING_CALLS=$<TARGET_FILE:failing_calls>")
endfunction()
