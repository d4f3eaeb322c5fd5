"""tests/packages/lone_program_test.py: the program without its plugins, as who copies build/release/bin/headstart alone has it."""

import os
import pathlib
import shutil
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["HEADSTART_BUILD"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
FOLDER = BUILD / "lone_program_test"
PROGRAM = FOLDER / "bin/headstart"
PLUGINS = FOLDER / "lib/headstart/plugins"
IMAGES = FOLDER / "images"
CACHE = FOLDER / "cache"


def run(*words, program=PROGRAM):
    return subprocess.run([str(word) for word in (program, *words)], capture_output=True, text=True, check=False)


def missing(name):
    return f"headstart_{name}.so is neither beside the program nor in {PLUGINS}"


def segments(cache):
    """Their names are the digests of what is in them."""
    return sorted(path.name for path in cache.rglob("segment-*.h5"))


class LoneProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(FOLDER, ignore_errors=True)
        PROGRAM.parent.mkdir(parents=True)
        os.link(BUILD / "bin/headstart", PROGRAM)  # a symbolic link would lead back to the plugins
        for label in ("birds", "music"):
            (IMAGES / label).mkdir(parents=True)
            for image in sorted((SOURCE / "samples/openclipart10" / label).iterdir())[:6]:
                shutil.copy(image, IMAGES / label)

    def failure(self, *words):
        done = run(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr.splitlines()[-1]

    def test_info_says_what_is_missing(self):
        info = run("info", "--cache", CACHE)
        self.assertEqual(info.returncode, 0, info.stderr)
        self.assertIn("auto chooses native\n", info.stdout)
        for line in ("opencv", "opencv-cuda", "onednn"):
            name = line.partition("-")[0]
            self.assertIn(f"  {line:<18}not available: {missing(name)}\n", info.stdout)
        backprops = info.stdout.partition("finetune --backprop\n")[2]
        for name in ("onednn", "libtorch"):
            self.assertIn(f"  {name:<18}not available: {missing(name)}\n", backprops)

    def test_an_engine_that_is_named_and_missing_is_an_error(self):
        for engine in ("onednn", "opencv"):
            self.assertEqual(self.failure("extract", IMAGES, "--cache", FOLDER / "none", "--engine", engine),
                             f"headstart: error: engine {engine} is not available: {missing(engine)}: "
                             "choose --engine auto or native, or see docs/install.md")
        self.assertFalse((FOLDER / "none").exists())

    def test_native_is_checked_by_itself_and_gives_the_same_rows(self):
        # At this size an engine is compared with another one, which is oneDNN's where it is there.
        arguments = ["extract", IMAGES, "--input-size", "64", "--engine", "native", "--cache"]
        for cache, program in (("alone", PROGRAM), ("beside", BUILD / "bin/headstart")):
            done = run(*arguments, FOLDER / cache, program=program)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(segments(FOLDER / "alone")), 1)
        self.assertEqual(segments(FOLDER / "alone"), segments(FOLDER / "beside"))

    def test_fine_tuning_does_without_unless_one_is_named(self):
        # fine-tuned weights have no golden row either
        train = run("train", IMAGES, "-o", FOLDER / "model", "--cache", CACHE, "--input-size", "64", "--epochs", "1")
        self.assertEqual(train.returncode, 0, train.stderr)
        finetune = ["finetune", IMAGES, "--from", FOLDER / "model/model.h5", "--cache", CACHE, "--epochs", "1"]
        for name in ("onednn", "libtorch"):
            self.assertIn(f"error: backprop {name} is not available: {missing(name)}: leave --backprop out, or ",
                          self.failure(*finetune, "-o", FOLDER / name, "--backprop", name))
            unread = self.failure("finetune", FOLDER / "none", "--from", FOLDER / "none", "-o", FOLDER / name, "--backprop", name)
            self.assertIn(f"backprop {name} is not available", unread, "it is said before anything is read")
        tuned = run(*finetune, "-o", FOLDER / "tuned")
        self.assertEqual(tuned.returncode, 0, tuned.stderr)
        self.assertIn(" by native (", tuned.stderr)
        predicted = run("predict", FOLDER / "tuned/model.h5", IMAGES, "--cache", CACHE)
        self.assertEqual((predicted.returncode, len(predicted.stdout.splitlines())), (0, 13), predicted.stderr)

    def test_plugins_are_found_where_they_are_installed(self):
        PLUGINS.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, PLUGINS)
        os.link(BUILD / "bin/headstart_onednn.so", PLUGINS / "headstart_onednn.so")
        self.assertEqual(run("info", "--cache", CACHE).stdout.count("  onednn            oneDNN "), 2)


if __name__ == "__main__":
    unittest.main()
