"""tests/packages/deb_test.py: builds the Debian package of what was built, installs it with dpkg below a scratch root with
a database of its own, uses it, and removes it. The machine's own packages stay as they are."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["HEADSTART_BUILD"])
VERSION = os.environ["HEADSTART_VERSION"]
PLUGINS = [f"lib/headstart/plugins/headstart_{name}.so" for name in ("onednn", "opencv")]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "no Debian system")
class DebianPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        done = run("cpack", "-B", cls.folder / "package", cwd=BUILD)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        (cls.deb,) = (cls.folder / "package").glob("*.deb")
        cls.tree = cls.folder / "tree"
        run("dpkg-deb", "--extract", cls.deb, cls.tree)
        commands = run(BUILD / "bin/headstart", "--help").stdout.partition("Subcommands:\n")[2]
        cls.commands = re.findall(r"^  ([a-z]+)  ", commands, re.MULTILINE)
        assert "train" in cls.commands and len(cls.commands) > 8, commands

    def field(self, name):
        return run("dpkg-deb", "--field", self.deb, name).stdout.strip()

    def test_name_and_fields_are_those_of_debian(self):
        architecture = run("dpkg", "--print-architecture").stdout.strip()
        self.assertEqual(self.deb.name, f"headstart_{VERSION}_{architecture}.deb")
        self.assertEqual(self.field("Package"), "headstart")
        self.assertEqual(self.field("Version"), VERSION)
        self.assertEqual(self.field("Section"), "science")
        self.assertRegex(self.field("Maintainer"), r"^[^<]+ <[^@>]+@[^>]+>$")

    def test_every_library_is_of_a_package_that_it_depends_on(self):
        depends = re.findall(r"(?:^|, )([a-z0-9.+-]+)", self.field("Depends"))
        self.assertEqual([name for name in depends if run("dpkg-query", "--show", name).returncode], [])
        needed = run("objdump", "--private-headers", self.tree / "usr/bin/headstart",
                     *(self.tree / "usr" / plugin for plugin in PLUGINS)).stdout
        libraries = re.findall(r"NEEDED +(\S+)", needed)
        for name in ("libdnnl", "libopencv_dnn"):
            self.assertRegex(" ".join(libraries), name)
        self.assertGreater(len(libraries), 5)
        listed = "".join(run("dpkg-query", "--listfiles", name).stdout for name in depends)
        self.assertEqual([name for name in libraries if f"/{name}\n" not in listed], [])

    def test_it_holds_the_program_its_manual_and_nothing_for_developers(self):
        files = files_below(self.tree)
        pages = ["headstart.1.gz"] + [f"headstart-{command}.1.gz" for command in self.commands]
        for name in ["bin/headstart", *PLUGINS, "share/bash-completion/completions/headstart",
                     "share/zsh/vendor-completions/_headstart",
                     *(f"share/doc/headstart/{name}" for name in ("README.md", "LICENSE", "NOTICE", "copyright", "changelog.gz")),
                     *(f"share/man/man1/{page}" for page in pages)]:
            self.assertIn(f"usr/{name}", files)
        self.assertEqual([name for name in files if re.search(r"\.(hpp|a|so|cmake)$|site-functions|/local/", name)],
                         [f"usr/{plugin}" for plugin in PLUGINS])

    def test_the_program_runs_from_where_it_was_put(self):
        program = self.tree / "usr/bin/headstart"
        self.assertEqual(run(program, "--version").stdout, f"headstart {VERSION}\n")
        info = run(program, "info", "--cache", self.folder / "cache")
        self.assertEqual(info.returncode, 0, info.stderr)
        self.assertIn("d9a27cc1fc7f975ef8cff49180e794cc", info.stdout)  # the embedded weights are in it
        for found in ("onednn            oneDNN ", "opencv            OpenCV "):
            self.assertIn(found, info.stdout)

    @unittest.skipUnless(shutil.which("man"), "no man here")
    def test_man_finds_every_page(self):
        for arguments in (["headstart"], *(["headstart", command] for command in self.commands)):
            page = run("man", "--manpath", self.tree / "usr/share/man", *arguments,
                       env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
            self.assertEqual((page.returncode, page.stderr), (0, ""), arguments)
            self.assertIn("-".join(arguments).upper() + "(1)", page.stdout)

    def test_bash_completes_the_installed_commands(self):
        script = self.tree / "usr/share/bash-completion/completions/headstart"
        done = run("bash", "--norc", "-c", f"source '{script}' && COMP_WORDS=(headstart '') COMP_CWORD=1 && _headstart"
                   " && echo ${COMPREPLY[@]}")
        self.assertEqual(done.stdout.split(), self.commands, done.stderr)

    @unittest.skipUnless(shutil.which("lintian"), "no lintian here")
    def test_lintian_has_nothing_to_say(self):
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", self.deb)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    @unittest.skipUnless(os.geteuid() == 0, "dpkg installs as root only")
    def test_what_is_installed_is_removed_again(self):
        root = self.folder / "root"
        for name in ("info", "updates"):
            (root / "var/lib/dpkg" / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        dpkg = ["dpkg", f"--root={root}", "--force-depends", "--log=/dev/null"]
        installed = run(*dpkg, "--install", self.deb)
        self.assertEqual(installed.returncode, 0, installed.stderr)
        self.assertEqual(files_below(root / "usr"), files_below(self.tree / "usr"))
        self.assertEqual(run(root / "usr/bin/headstart", "--version").returncode, 0)
        self.assertEqual(run(*dpkg, "--verify", "headstart").stdout, "")
        removed = run(*dpkg, "--purge", "headstart")
        self.assertEqual(removed.returncode, 0, removed.stderr)
        self.assertEqual([path for path in root.rglob("*") if "/var/lib/dpkg" not in str(path) and not path.is_dir()], [])
        self.assertFalse((root / "usr/bin").exists())


if __name__ == "__main__":
    unittest.main()
