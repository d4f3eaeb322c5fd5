"""tests/scripts/gpu_check_test.py: scripts/gpu-check by the CPU's engine where headstart was built with benchmarks, and by
stand-ins for its programs: what is wrong or missing is never reported as right."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/gpu-check"
BUILD = pathlib.Path(os.environ.get("HEADSTART_BUILD", SCRIPT.parents[1] / "build/release"))
loader = importlib.machinery.SourceFileLoader("gpu_check", str(SCRIPT))
gpu_check = importlib.util.module_from_spec(importlib.util.spec_from_loader("gpu_check", loader))
loader.exec_module(gpu_check)

FORWARD = {"benchmarks": [{"name": "forward/opencv_cuda/batch:8/real_time", "images/s": 100.0, "error": 1.5e-6,
                           "label": "OpenCV 4.14.0, DNN module, CUDA backend"}]}
PASSED = "[  PASSED  ] 1 test."
COLD = "5 images in 2.5 s (2.0 images/s): 0 from the cache, 5 computed, 0 rejected"
WARM = "5 images in 0.001 s: 5 from the cache, 0 computed, 0 rejected"


class StandIns(unittest.TestCase):
    """headstart's programs as shell scripts that say what they are told to."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        (self.folder / "bin").mkdir()

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def run_check(self, *, info="OpenCV 4.14.0, CUDA 13.0", tests=PASSED, tests_status=0, forward=FORWARD, warm=WARM,
                  verify=0):
        self.program("headstart", f"""case "$1$2" in
            info*) echo '  opencv-cuda       {info}';;
            cacheverify) exit {verify};;
            *) if [ -f "$4.seen" ]; then echo '{warm}'; else touch "$4.seen"; echo '{COLD}'; fi;; esac
            """)
        self.program("features_engine_tests", f"echo '{tests}'; exit {tests_status}\n")
        self.program("benchmark_forward", f"cat <<'END'\n{json.dumps(forward)}\nEND\n")
        done = subprocess.run([SCRIPT, "--engine", "opencv-cuda", "--build", self.folder, "--batch", "8", "--seconds", "0.1",
                               "--out", self.folder / "out"], capture_output=True, text=True, check=False)
        report = json.loads((self.folder / "out/gpu-check.json").read_text())
        self.assertEqual((self.folder / "out/gpu-check.txt").read_text(), done.stdout)
        self.assertEqual(done.returncode, 0 if report["passed"] else 1, done.stderr)
        return report, done.stdout

    def test_what_is_right_passes(self):
        report, text = self.run_check()
        self.assertTrue(report["passed"], text)
        engine = report["engines"]["opencv-cuda"]
        self.assertAlmostEqual(engine["forward"][0]["direct_gflops"], 3069.0)
        self.assertEqual(engine["extraction"]["computed"], 5)
        self.assertIn("100.0 images/s", text)
        self.assertIn("All engines are there and right.", text)

    def test_an_engine_that_is_missing_fails(self):
        report, text = self.run_check(info="not available: no NVIDIA driver")
        self.assertFalse(report["passed"])
        self.assertIn("no NVIDIA driver", text)

    def test_wrong_features_fail_and_are_not_timed(self):
        report, text = self.run_check(tests="[  FAILED  ] 1 test", tests_status=1)
        self.assertFalse(report["passed"])
        self.assertNotIn("forward", report["engines"]["opencv-cuda"])
        self.assertIn("Keras's features at every tap: NO", text)

    def test_tests_that_did_not_run_prove_nothing(self):
        self.assertFalse(self.run_check(tests="[  PASSED  ] 0 tests.")[0]["passed"])

    def test_a_benchmark_that_refuses_fails(self):
        refused = {"benchmarks": [{"name": "forward/opencv_cuda/batch:8/real_time", "error_occurred": True,
                                   "error_message": "the result is wrong: not timed"}]}
        report, text = self.run_check(forward=refused)
        self.assertFalse(report["passed"])
        self.assertIn("the result is wrong", text)
        self.assertFalse(self.run_check(forward={"benchmarks": []})[0]["passed"])

    def test_a_cache_that_does_not_hold_what_was_computed_fails(self):
        self.assertFalse(self.run_check(warm=COLD)[0]["passed"])

    def test_a_cache_that_does_not_verify_fails(self):
        self.assertFalse(self.run_check(verify=1)[0]["passed"])


class ByTheCpu(unittest.TestCase):
    @unittest.skipUnless((BUILD / "bin/benchmark_forward").exists(), "built without benchmarks")
    def test_the_whole_check_runs(self):
        with tempfile.TemporaryDirectory() as scratch:
            images = pathlib.Path(scratch) / "images/birds"
            images.mkdir(parents=True)
            for source in sorted((SCRIPT.parents[1] / "samples/openclipart10/birds").iterdir())[:4]:
                (images / source.name).symlink_to(source)
            done = subprocess.run([SCRIPT, "--engine", "opencv", "--build", BUILD, "--batch", "1", "--seconds", "0.1",
                                   "--images", images.parent, "--out", scratch], capture_output=True, text=True, check=False)
            report = json.loads((pathlib.Path(scratch) / "gpu-check.json").read_text())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        engine = report["engines"]["opencv"]
        self.assertTrue(engine["parity"]["passed"])
        self.assertLess(engine["forward"][0]["relative_error"], 1e-5)
        self.assertEqual(engine["extraction"]["computed"], 4)


class Usage(unittest.TestCase):
    def test_what_cannot_be_is_one_line(self):
        for arguments, status in ((["--engine", "cuda"], 2), (["--build", "/nowhere"], 1)):
            done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
