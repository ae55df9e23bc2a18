# Run by cpack on the tree that it packs: what Debian's policy wants of it besides.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share")
file(RENAME "${root}/doc/chainrule/LICENSE" "${root}/doc/chainrule/copyright")
file(RENAME "${root}/doc/chainrule/CHANGELOG.md" "${root}/doc/chainrule/changelog")
file(GLOB pages "${root}/man/man1/*.1")
execute_process(COMMAND gzip -9n ${pages} "${root}/doc/chainrule/changelog" COMMAND_ERROR_IS_FATAL ANY)
