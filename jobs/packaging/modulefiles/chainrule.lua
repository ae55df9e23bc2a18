-- chainrule for Lmod, in the tree that it was installed in: PREFIX/share/modulefiles/chainrule/VERSION.lua
local prefix = string.gsub(myFileName(), "/share/modulefiles/[^/]*/[^/]*$", "")
if not isFile(pathJoin(prefix, "bin", "chainrule")) then
  LmodError("chainrule: this module file is not in the tree of its program; use PREFIX/share/modulefiles itself")
end
whatis("Name: chainrule")
whatis("Version: " .. myModuleVersion())
whatis("Description: pretraining and perplexity evaluation of decoder-only language models over MPI")
help("chainrule --help, man chainrule; job scripts are in $CHAINRULE_JOBS")
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share", "man"))
append_path("MANPATH", "")  -- an empty part stands for the system's pages
setenv("CHAINRULE_JOBS", pathJoin(prefix, "share", "chainrule", "jobs"))
