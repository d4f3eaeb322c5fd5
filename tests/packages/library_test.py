"""tests/packages/library_test.py: installs the libraries into a prefix, builds examples/ against it as a project of its
own, for this machine's instruction set where the libraries are for any, and holds what the examples give against the
program."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["HEADSTART_BUILD"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = BUILD / "bin/headstart"
# Where it was last time, so that ccache knows the compilations.
FOLDER = BUILD / "library_test"
PREFIX = FOLDER / "prefix"
CACHE = FOLDER / "cache"
MODEL = FOLDER / "model.h5"


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def checked(*command):
    done = run(*command)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def example(name, *arguments):
    return run(FOLDER / "examples" / name, *arguments)


class InstalledLibrary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(FOLDER, ignore_errors=True)
        checked("cmake", "--install", BUILD, "--prefix", PREFIX, "--component", "development")
        launcher = ["-D", "CMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        checked("cmake", "-G", "Ninja", "-S", SOURCE / "examples", "-B", FOLDER / "examples", "-D", f"CMAKE_PREFIX_PATH={PREFIX}",
                "-D", f"CMAKE_CXX_COMPILER={os.environ['HEADSTART_CXX']}", "-D", "CMAKE_BUILD_TYPE=Debug",
                "-D", "CMAKE_CXX_FLAGS=-O1 -g0 -march=native -Wall -Wextra -Werror", *launcher)
        checked("cmake", "--build", FOLDER / "examples")
        cls.images = FOLDER / "images"
        for label in ("birds", "mammals", "music"):
            (cls.images / label).mkdir(parents=True)
            for image in sorted((SOURCE / "samples/openclipart10" / label).iterdir())[:4]:
                shutil.copy(image, cls.images / label)
        (cls.images / "birds/broken.jpg").write_text("no image")
        cls.trained = example("train_from_code", cls.images, CACHE, MODEL)
        checked(PROGRAM, "train", cls.images, "-o", FOLDER / "out", "--cache", CACHE, "--quiet")

    def test_training_gives_the_programs_model(self):
        self.assertEqual(self.trained.returncode, 0, self.trained.stderr)
        self.assertIn("3 classes", self.trained.stdout)
        self.assertIn("rejected birds/broken.jpg", self.trained.stderr)
        self.assertEqual(MODEL.read_bytes(), (FOLDER / "out/model.h5").read_bytes())

    def test_classifying_gives_the_programs_labels(self):
        lines = example("classify_folder", MODEL, CACHE, self.images).stdout.splitlines()
        expected = []
        table = checked(PROGRAM, "predict", MODEL, self.images, "--cache", CACHE, "--quiet").splitlines()
        for path, label, probability, reason in (line.split(",") for line in table[1:]):
            expected.append(f"{path}: no class: {reason}" if reason else f"{path}: {label} ({probability})")
        self.assertEqual(len(lines), 13)
        self.assertEqual(lines, expected)

    def test_the_caches_rows_are_found(self):
        listed = checked(PROGRAM, "cache", "list", "--cache", CACHE).splitlines()[-1].split()
        image = next((self.images / "birds").glob("a*.jpg"))
        first, second = example("read_cache", CACHE, image).stdout.splitlines()
        self.assertTrue(first.startswith(f"{listed[0]} block5_pool: 12 rows in 1 segments"), first)
        nonzeros, norm = re.fullmatch(r"  the image's row: 7 x 7 x 512, (\d+) of 25088 activations are not zero, norm (\S+)",
                                      second).groups()
        self.assertTrue(1000 < int(nonzeros) < 5000 and float(norm) > 100, second)
        self.assertIn("has no row", example("read_cache", CACHE, SOURCE / "LICENSE").stdout)

    def test_errors_are_one_line_with_the_programs_exit_codes(self):
        for name, arguments, code in (("train_from_code", ["/nowhere", CACHE, MODEL], 2), ("train_from_code", [], 2),
                                      ("classify_folder", ["/nowhere.h5", CACHE, self.images], 1),
                                      ("read_cache", [CACHE, "/nowhere.jpg"], 2), ("read_cache", [], 2)):
            done = example(name, *arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertRegex(done.stderr, rf"\A{name}: error: .*\n\Z")

    def test_headers_include_only_what_is_installed(self):
        include = PREFIX / "include/headstart"
        headers = sorted(include.rglob("*.hpp"))
        self.assertGreater(len(headers), 50)
        outside = set()
        for header in headers:
            text = header.read_text()
            for name in re.findall(r'#include "(.+)"', text):
                self.assertTrue((include / name).exists(), f"{header}: {name}")
            outside.update(re.findall(r"#include <(.+/.+|.+\.h.*)>", text))
        self.assertLessEqual(outside, {"Eigen/Core", "unistd.h"})  # of other libraries
        self.assertEqual([header for header in headers if re.search("-inl|winograd|command|onednn|opencv", header.name)], [])

    def test_nothing_of_a_plugin_is_asked_of_who_links_the_libraries(self):
        texts = [file.read_text() for file in PREFIX.glob("lib*/**/headstart*.cmake")]
        self.assertEqual(sum("TBB::tbb" in text for text in texts), 1)
        self.assertEqual([text for text in texts if re.search("dnnl|opencv|torch", text, re.IGNORECASE)], [])

    def test_the_prefix_can_be_moved(self):
        # Absolute, not the end of another path: the sources may lie in /headstart.
        names_source = re.compile(r"""(?:^|[\s"'=:;])""" + re.escape(f"{SOURCE}/"), re.MULTILINE)
        for file in PREFIX.glob("lib*/**/*.cmake"):
            text = file.read_text()
            self.assertIsNone(names_source.search(text), file)
            self.assertNotIn(str(PREFIX), text, file)


if __name__ == "__main__":
    unittest.main()
