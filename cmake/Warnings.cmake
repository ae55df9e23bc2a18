# One interface target that every chainrule target links privately: warnings, and the floating-point flags
# on which the promise of equal bits rests.
add_library(chainrule_build_flags INTERFACE)
target_compile_options(chainrule_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  # Never -ffast-math: with it the optimizer's bits depended on where the arena was cut.
  -fno-math-errno -fno-trapping-math)
# Everywhere, though few files use them, so that files share precompiled headers (both define macros).
target_link_libraries(chainrule_build_flags INTERFACE OpenMP::OpenMP_CXX Threads::Threads)
target_include_directories(chainrule_build_flags INTERFACE "${PROJECT_SOURCE_DIR}")

option(CHAINRULE_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
if(CHAINRULE_WARNINGS_AS_ERRORS)
  target_compile_options(chainrule_build_flags INTERFACE -Werror)
endif()

set(CHAINRULE_SANITIZE "" CACHE STRING "address (AddressSanitizer and UndefinedBehaviorSanitizer), thread, or nothing")
if(CHAINRULE_SANITIZE STREQUAL "address")
  # Without what AddressSanitizer sees when such memory is touched, and casts to derived classes, which are not made
  # here: a sixth of the time to compile.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=null,object-size,vptr)
elseif(CHAINRULE_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread)
elseif(CHAINRULE_SANITIZE)
  message(FATAL_ERROR "CHAINRULE_SANITIZE is '${CHAINRULE_SANITIZE}': address, thread, or nothing")
endif()
if(CHAINRULE_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # `omp simd` is a wish in these builds, which clang says it does not grant without optimisation.
    target_compile_options(chainrule_build_flags INTERFACE -Wno-pass-failed)
  endif()
  target_compile_options(chainrule_build_flags INTERFACE ${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(chainrule_build_flags INTERFACE ${sanitizers})
endif()
