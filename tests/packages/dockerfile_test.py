"""tests/packages/dockerfile_test.py: what the Dockerfile names exists: sources, packages, build options, the program. There is
no container runtime to build it with, so that is as far as it goes; what the image installs is deb_test.py's."""

import fnmatch
import json
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def instructions():
    """[(name, arguments)], comments and line ends taken out."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line]


class Dockerfile(unittest.TestCase):
    def setUp(self):
        self.instructions = instructions()
        self.stages = [arguments.split(" AS ") for name, arguments in self.instructions if name == "FROM"]

    def all(self, wanted):
        return [arguments for name, arguments in self.instructions if name == wanted]

    def test_every_instruction_is_one(self):
        known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "ENTRYPOINT", "CMD"}
        self.assertEqual({name for name, _ in self.instructions} - known, set())
        self.assertEqual([stage[0] for stage in self.stages], ["debian:bookworm-slim"] * 2)

    def test_what_is_copied_exists_and_is_not_ignored(self):
        ignored = [line.strip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
        copied = [words.split() for words in self.all("COPY")]
        self.assertEqual(len(copied), 3)
        for words in copied:
            if words[0].startswith("--from="):
                self.assertIn(words[0].removeprefix("--from="), [stage[1] for stage in self.stages if len(stage) > 1])
                continue
            for source in words[:-1]:
                self.assertTrue((ROOT / source).exists(), source)
                self.assertFalse(any(fnmatch.fnmatch(source, pattern) for pattern in ignored), source)
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\n")
        for pattern in ignored:
            self.assertEqual([name for name in tracked if fnmatch.fnmatch(name.split("/")[0], pattern)], [])

    def test_commands_parse_and_pass_options_that_the_build_has(self):
        commands = "\n".join(self.all("RUN"))
        parsed = subprocess.run(["sh", "-n", "-c", commands], capture_output=True, text=True, check=False)
        self.assertEqual((parsed.returncode, parsed.stderr), (0, ""))
        declared = re.findall(r"^option\((\w+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
        passed = re.findall(r"-D (\w+)=", commands)
        self.assertEqual(len(passed), 2)
        self.assertLessEqual(set(passed), set(declared))
        presets = json.loads((ROOT / "CMakePresets.json").read_text())
        self.assertIn(re.search(r"cmake --build --preset (\w+)", commands)[1], [p["name"] for p in presets["buildPresets"]])

    @unittest.skipUnless(shutil.which("apt-cache"), "no Debian system")
    def test_every_package_is_in_debian(self):
        done = subprocess.run([ROOT / "scripts/install-packages", "build", "--list"], capture_output=True, text=True, check=True)
        names = done.stdout.split()
        self.assertGreater(len(names), 15)
        known = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual([name for name in names if name not in known], [])

    def test_the_program_runs_as_a_user_with_a_cache_on_a_volume(self):
        self.assertEqual(json.loads(self.all("ENTRYPOINT")[0]), ["headstart"])
        user, volume = self.all("USER")[0], self.all("VOLUME")[0]
        self.assertNotIn(user, ("root", "0"))
        commands = self.all("RUN")[-1]
        self.assertIn(f"useradd --system --no-create-home {user}", commands)
        self.assertRegex(commands, rf"install --directory --mode=1777 {volume}$")
        self.assertIn(f"XDG_CACHE_HOME={volume}", self.all("ENV"))


if __name__ == "__main__":
    unittest.main()
