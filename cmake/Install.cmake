# One tree, whose parts find each other by their places in it and name no prefix: it runs from anywhere, also after it
# was moved.
install(TARGETS chainrule RUNTIME DESTINATION bin)
install(DIRECTORY "${PROJECT_BINARY_DIR}/manual/man1" DESTINATION share/man)
install(FILES "${PROJECT_BINARY_DIR}/manual/chainrule.bash" DESTINATION share/bash-completion/completions
  RENAME chainrule)

install(DIRECTORY jobs/ DESTINATION share/chainrule/jobs USE_SOURCE_PERMISSIONS
  PATTERN setup.sh EXCLUDE PATTERN build.sh EXCLUDE PATTERN packaging EXCLUDE PATTERN __pycache__ EXCLUDE
  PATTERN .shellcheckrc EXCLUDE)
# Those that people call are commands, too.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/links")
foreach(name IN ITEMS submit pipeline demo)
  set(link "${PROJECT_BINARY_DIR}/links/chainrule-${name}")
  file(CREATE_LINK "../share/chainrule/jobs/${name}.sh" "${link}" SYMBOLIC)
  install(FILES "${link}" DESTINATION bin)
endforeach()

install(FILES jobs/packaging/modulefiles/chainrule.lua DESTINATION share/modulefiles/chainrule
  RENAME ${PROJECT_VERSION}.lua)
install(FILES jobs/packaging/modulefiles/chainrule.tcl DESTINATION share/modulefiles/chainrule
  RENAME ${PROJECT_VERSION})

install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION share/doc/chainrule)
install(DIRECTORY docs DESTINATION share/doc/chainrule FILES_MATCHING PATTERN *.md)
