#%Module1.0
# chainrule for environment-modules, in the tree that it was installed in: PREFIX/share/modulefiles/chainrule/VERSION
set prefix $ModulesCurrentModulefile
foreach part {share modulefiles chainrule VERSION} { set prefix [file dirname $prefix] }
if {![file isfile $prefix/bin/chainrule]} {
  puts stderr "chainrule: this module file is not in the tree of its program; use PREFIX/share/modulefiles itself"
  break
}
module-whatis "chainrule: pretraining and perplexity evaluation of decoder-only language models over MPI"
proc ModulesHelp {} { puts stderr "chainrule --help, man chainrule; job scripts are in \$CHAINRULE_JOBS" }
conflict chainrule
prepend-path PATH $prefix/bin
prepend-path MANPATH $prefix/share/man
append-path MANPATH {}  ;# an empty part stands for the system's pages
setenv CHAINRULE_JOBS $prefix/share/chainrule/jobs
