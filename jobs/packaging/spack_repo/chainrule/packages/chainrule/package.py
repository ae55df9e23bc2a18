# SPDX-License-Identifier: MIT

import os

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Chainrule(CMakePackage):
    """Distributed batch pretraining and perplexity evaluation of decoder-only
    language models.

    The recipe lies in the repository of the source, and builds that source:
        spack repo add SOURCE/jobs/packaging/spack_repo/chainrule
        spack install chainrule
    """

    git = "file://" + os.path.realpath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 6))

    license("MIT")

    version("main", branch="main")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("openmpi@4.1:")
    depends_on("hdf5@1.10: ~mpi")
    depends_on("onednn@2.6:")
    depends_on("boost@1.74: +program_options")
    depends_on("nlohmann-json@3.11:")
    depends_on("fmt@9:")
    depends_on("hwloc@2:")
    depends_on("pcre2")
    depends_on("utf8proc")
    depends_on("xxhash")
    depends_on("zlib-api")
    depends_on("zstd")
    depends_on("kainjow-mustache", type="build")

    generator("ninja")

    # GCC 12 is what it is developed with; C++20 as it is used needs GCC 11.
    conflicts("%gcc@:10")

    def cmake_args(self):
        return [self.define("CHAINRULE_BUILD_TESTS", False)]

    def setup_run_environment(self, env: EnvironmentModifications) -> None:
        env.set("CHAINRULE_JOBS", self.prefix.share.chainrule.jobs)
