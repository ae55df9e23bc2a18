# chainrule_embed_text(TARGET FILE HEADER NAMESPACE NAME): makes HEADER in the build tree, in which `NAME` is the text of
# FILE, so that assets lie in files of their own and the program stands alone.
function(chainrule_embed_text target file header namespace name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${file}")
  file(READ "${PROJECT_SOURCE_DIR}/${file}" text)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/embedded/${header}" @ONLY CONTENT
"#pragma once
#include <string_view>

namespace @namespace@ {

inline constexpr std::string_view @name@ = R\"text(@text@)text\";

}  // namespace @namespace@
")
  target_include_directories(${target} PRIVATE "${PROJECT_BINARY_DIR}/embedded")
endfunction()
