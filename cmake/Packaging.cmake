# `cpack` in the build folder makes a Debian package of the tree, for the release of Debian that it is run on: libraries
# are asked for as the program was linked with them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "chainrule's maintainers <chainrule@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/DebianLayout.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS python3)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "pretraining and perplexity evaluation of language models over MPI")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Trains models of the GPT-2 and Llama families and measures their perplexity,
in batch, on any number of ranks with the same bits, stopped and resumed.
Comes with job scripts for Slurm, OpenPBS, Flux and LSF.")
include(CPack)
