# A room is a folder with one static library; whom it may include is stated here once. The build links just these, and
# the test `layering` (CheckLayering.cmake) refuses any other include. A room can only need rooms that are there already,
# so nothing points up and there is no circle.
#
# chainrule_room(FOLDER [WITH SUBFOLDERS...] [NEEDS ROOMS...] [USES LIBRARIES...])
#   WITH   subfolders whose files belong to the room too
#   NEEDS  rooms whose headers its files may include
#   USES   other people's libraries, besides fmt
#
# Several files of a room are compiled at a time, which takes less than half as long: names in unnamed namespaces must
# differ within a room. Files of model/ are compiled one by one, since the speed of their loops is measured and should
# not depend on which other files are beside them.
option(CHAINRULE_UNITY_BUILD "Compile several files of a room at a time" ON)
set(CHAINRULE_UNITY_FILES 16 CACHE STRING "How many files of a room are compiled at a time; 0: all")
function(chainrule_room folder)
  cmake_parse_arguments(arg "" "" "WITH;NEEDS;USES" ${ARGN})
  chainrule_room_target(${folder} target)
  set(sources "")
  foreach(part IN ITEMS "" ${arg_WITH})
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/${part}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  set(needs "")
  foreach(room IN LISTS arg_NEEDS)
    chainrule_room_target(${room} needed)
    if(NOT TARGET ${needed})
      message(FATAL_ERROR "room ${folder} needs ${room}, which is not there below it")
    endif()
    list(APPEND needs ${needed})
  endforeach()
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC ${needs} PRIVATE chainrule_build_flags fmt::fmt ${arg_USES})
    if(CHAINRULE_UNITY_BUILD AND NOT folder MATCHES "^model")
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${CHAINRULE_UNITY_FILES})
      target_compile_options(${target} PRIVATE  # GCC takes these files for headers
        $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    endif()
    if("Boost::program_options" IN_LIST arg_USES)
      chainrule_precompile(${target} chainrule_precompiled_options)
    elseif("nlohmann_json::nlohmann_json" IN_LIST arg_USES)
      chainrule_precompile(${target} chainrule_precompiled_json)
    else()
      chainrule_precompile(${target} chainrule_precompiled)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${needs})
  endif()
  list(JOIN arg_WITH "," with)
  list(JOIN arg_NEEDS "," needed_rooms)
  set_property(GLOBAL APPEND PROPERTY CHAINRULE_ROOMS "${folder}|${with}|${needed_rooms}")
endfunction()

# The target of a room: chainrule_pipeline_comm for pipeline/comm.
function(chainrule_room_target folder variable)
  string(REPLACE "/" "_" name "${folder}")
  set(${variable} "chainrule_${name}" PARENT_SCOPE)
endfunction()

# Writes the rooms that were made, one a line (folder|subfolders|rooms it needs), for the test.
function(chainrule_write_rooms file)
  get_property(rooms GLOBAL PROPERTY CHAINRULE_ROOMS)
  list(JOIN rooms "\n" lines)
  file(WRITE "${file}" "${lines}\n")
endfunction()
