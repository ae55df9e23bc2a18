"""`cmake --install` into a folder with a space in its name, moved elsewhere: program, manual, completion, modules."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

UNPACKED = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "chainrule" / "debian"
LOADED = """
module() { eval "$("$MODULE_PROGRAM" bash "$@")"; }
module load chainrule && command -v chainrule && printf '%s\\n' "$MANPATH" "$CHAINRULE_JOBS" &&
  man -w chainrule-evaluate && man -w man && module unload chainrule && printf '[%s]\\n' "$CHAINRULE_JOBS" "$(
  command -v chainrule)"
"""


def said(command, check=0, **more):
    """What a command printed; it must say nothing on standard error where it ends as it should."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, **more)
    if done.returncode != check or (check == 0 and done.stderr):
        raise AssertionError(f"{command}\nexit code {done.returncode}, expected {check}\n{done.stdout}{done.stderr}")
    return done.stdout if check == 0 else done.stderr


def options_in(text):
    """The options that a page of --help lists: lines of two spaces and the option."""
    return re.findall(r"^  (?:-\w \[ )?(--[a-z0-9-]+)", text, re.MULTILINE)


class InstalledTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="chainrule installed "))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.first = cls.folder / "first place"
        cls.prefix = cls.folder / "second" / "chain rule"
        said([os.environ["CHAINRULE_CMAKE"], "--install", os.environ["CHAINRULE_BUILD"], "--prefix", cls.first])
        cls.prefix.parent.mkdir()
        cls.first.rename(cls.prefix)
        cls.program = cls.prefix / "bin" / "chainrule"
        cls.commands = re.findall(r"^  ([a-z-]+)  +\S", said([cls.program, "--help"]).split("commands:")[1], re.MULTILINE)
        cls.environment = {"PATH": "/usr/bin:/bin", "HOME": str(cls.folder), "LC_ALL": "C.UTF-8"}

    def helps(self):
        """Each command with its action, and its page of --help."""
        for command in self.commands:
            text = said([self.program, command, "--help"])
            actions = re.findall(r"^  ([a-z]+)  +\S", text, re.MULTILINE) if not options_in(text) else []
            for action in actions:
                yield [command, action], said([self.program, command, action, "--help"])
            if not actions:
                yield [command], text

    def test_it_runs_and_its_scripts_find_it(self):
        self.assertIn("chainrule ", said([self.program, "--version"]))
        script = said([self.prefix / "bin" / "chainrule-submit", "--scheduler", "slurm", "--dry-run", "--", "pack",
                       "--output", "data"], cwd=self.folder, env=self.environment)
        self.assertIn("chain\\ rule/bin/chainrule pack", script)
        self.assertIn("chain\\ rule/share/chainrule/jobs/batch_step.sh", script)
        self.assertIn("usage: pipeline.sh", said([self.prefix / "bin" / "chainrule-pipeline", "--help"]))
        self.assertIn("cannot read '", said([self.prefix / "bin" / "chainrule-demo", "absent"], check=66,
                                            cwd=self.folder, env=self.environment))

    def test_no_file_names_a_place(self):
        places = [str(self.first).encode(), os.environ["CHAINRULE_BUILD"].encode()]
        files = [path for path in self.prefix.rglob("*") if path.is_file() and path != self.program]
        self.assertGreater(len(files), 40)
        for path in files:
            for place in places:
                self.assertNotIn(place, path.read_bytes(), path)
        self.assertNotIn(places[0], self.program.read_bytes())
        for path in self.prefix.rglob("*"):
            if path.is_symlink():
                self.assertTrue(path.resolve(strict=True).is_relative_to(self.prefix.resolve()), path)

    def test_every_page_of_the_manual_is_well_formed_and_whole(self):
        folder = self.prefix / "share" / "man" / "man1"
        self.assertEqual({path.name for path in folder.iterdir()},
                         {"chainrule.1", *(f"chainrule-{command}.1" for command in self.commands)})
        pages = {}
        for path in folder.iterdir():
            pages[path.stem] = said(["man", "--warnings", "--local-file", path],
                                    env={**self.environment, "MANWIDTH": "80"})
        for command in self.commands:
            self.assertIn(f"chainrule-{command}(1)", pages["chainrule"])
        self.assertRegex(pages["chainrule"], r"\n +75 +stopped early")
        for words, text in self.helps():
            listed = re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", pages[f"chainrule-{words[0]}"], re.MULTILINE)
            options = options_in(text)
            self.assertIn("--help", options)
            self.assertLessEqual(set(options), set(listed), words)
        self.assertIn("--micro-batch SEQUENCES (=4)", pages["chainrule-pretrain"])

    def complete(self, *words):
        """What bash is offered for the last of words."""
        script = ". \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _chainrule; printf '%s\\n' " \
                 "\"${COMPREPLY[@]}\""
        text = said(["bash", "--noprofile", "--norc", "-c", script, "bash",
                     self.prefix / "share" / "bash-completion" / "completions" / "chainrule", *words],
                    cwd=self.prefix, env=self.environment)
        return text.split("\n")[:-1] if text.strip() else []

    def test_names_are_completed(self):
        self.assertEqual(self.complete("chainrule", "")[:len(self.commands)], self.commands)
        self.assertEqual(self.complete("chainrule", "ev"), ["evaluate"])
        self.assertEqual(self.complete("chainrule", "tokenizer", "en"), ["encode"])
        self.assertEqual(self.complete("chainrule", "zz"), [])
        for words, text in self.helps():
            self.assertEqual(set(self.complete("chainrule", *words, "--")), set(options_in(text)), words)

    def test_values_are_completed(self):
        self.assertEqual(self.complete("chainrule", "evaluate", "--math", "b"), ["bf16"])
        self.assertEqual(self.complete("chainrule", "evaluate", "--math", "="), ["float32", "bf16"])
        self.assertEqual(self.complete("chainrule", "evaluate", "--math", "=", "fl"), ["float32"])
        self.assertIn("gptq", self.complete("chainrule", "evaluate", "--protocol", ""))
        self.assertEqual(self.complete("chainrule", "evaluate", "--stride", ""), [])
        self.assertEqual(self.complete("chainrule", "evaluate", "--model", "sh"), ["share"])
        self.assertEqual(self.complete("chainrule", "inspect", "--json", "bi"), ["bin"])
        doc = "share/doc/chainrule/"
        self.assertEqual(self.complete("chainrule", "report", "compare", "bin", doc + "R"), [doc + "README.md"])
        self.assertEqual(self.complete("chainrule", "pack", "--input", "a", "b", "bi"), ["bin"])
        self.assertEqual(self.complete("chainrule", "pretrain", "--run", doc), [doc + "docs"])
        self.assertIn("--help", self.complete("chainrule", "evaluate", "--token-nll", ""))

    def check_module(self, program):
        environment = {**self.environment, "MODULEPATH": str(self.prefix / "share" / "modulefiles"),
                       "MODULE_PROGRAM": str(program)}
        lines = said(["bash", "--noprofile", "--norc", "-c", LOADED], env=environment).splitlines()
        self.assertEqual(lines[0], str(self.program))
        self.assertEqual(lines[1].rstrip(":"), str(self.prefix / "share" / "man"))
        self.assertEqual(lines[2], str(self.prefix / "share" / "chainrule" / "jobs"))
        self.assertEqual(lines[3], str(self.prefix / "share" / "man" / "man1" / "chainrule-evaluate.1"))
        self.assertTrue(lines[4].startswith("/usr/share/man/"), lines)  # the system's pages are still there
        self.assertEqual(lines[5:], ["[]", "[]"])

    def module_program(self, pattern):
        found = list(UNPACKED.glob(pattern))
        self.assertEqual(len(found), 1, f"no single {pattern} in '{UNPACKED}'; jobs/setup.sh test puts it there")
        return found[0]

    def test_lmod_loads_it(self):
        self.check_module(self.module_program("lmod/usr/share/lmod/*.*/libexec/lmod"))

    def test_environment_modules_loads_it(self):
        self.check_module(self.module_program("environment-modules/usr/lib/*/modulecmd.tcl"))


if __name__ == "__main__":
    unittest.main()
