"""tests/scripts/build_opencv_cuda_test.py: scripts/build-opencv-cuda --check on toolkits, sources and devices that are made
up: what does not fit is one line that says so, before anything is fetched or built."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/build-opencv-cuda"
ARCHITECTURES = ["75", "80", "86", "90", "120"]


class BuildOpencvCudaTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.tools = self.folder / "tools"
        self.tools.mkdir()

    def program(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def toolkit(self, version="13.0", cudnn=(9, 19), npp=False):
        root = self.folder / "cuda"
        listing = "\n".join(f"compute_{number}" for number in ARCHITECTURES)
        self.program(root / "bin/nvcc",
                     f'case "$1" in --version) echo "Cuda compilation tools, release {version}, V{version}.88";;'
                     f' --list-gpu-arch) echo "{listing}";; esac\n')
        (root / "include").mkdir(exist_ok=True)
        if cudnn:
            (root / "include/cudnn_version.h").write_text(
                f"#define CUDNN_MAJOR {cudnn[0]}\n#define CUDNN_MINOR {cudnn[1]}\n#define CUDNN_PATCHLEVEL 0\n")
        if npp:
            (root / "lib64").mkdir()
            (root / "lib64/libnppc.so").touch()
            (root / "include/npp.h").touch()
        return root

    def source(self, version="4.14.0"):
        root = self.folder / "source/opencv"
        major, minor, _ = version.split(".")
        header = root / "modules/core/include/opencv2/core/version.hpp"
        header.parent.mkdir(parents=True)
        header.write_text(f"#define CV_VERSION_MAJOR    {major}\n#define CV_VERSION_MINOR    {minor}\n")
        cudev = self.folder / "source/opencv_contrib/modules/cudev"
        cudev.mkdir(parents=True)
        (cudev / "CMakeLists.txt").touch()
        return root

    def device(self, capability="8.6", driver="13.0"):
        self.program(self.tools / "nvidia-smi",
                     f'case "$*" in *compute_cap*) echo "{capability}";;'
                     f' *) echo "| NVIDIA-SMI 580.65  Driver Version: 580.65  CUDA Version: {driver} |";; esac\n')

    def check(self, *arguments):
        done = subprocess.run([SCRIPT, "--check", *map(str, arguments)], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"})
        return done.returncode, done.stdout + done.stderr

    def refused(self, words, *arguments, status=1):
        code, text = self.check(*arguments)
        self.assertEqual(code, status, text)
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_what_fits_is_said(self):
        self.device("8.6\n9.0\n8.6")
        code, text = self.check("--cuda", self.toolkit())
        self.assertEqual(code, 0, text)
        for words in ("CUDA 13.0", "cuDNN 9.19", "OpenCV 4.14", "for 8.6,9.0", "NPP: from PyPI", "driver: up to CUDA 13.0\n"):
            self.assertIn(words, text)

    def test_the_toolkits_own_npp_is_taken(self):
        code, text = self.check("--cuda", self.toolkit(npp=True), "--arch", "9.0")
        self.assertEqual(code, 0, text)
        self.assertIn("cuda/lib64", text)

    def test_a_machine_without_a_driver_is_said_to_have_none(self):
        self.program(self.tools / "nvidia-smi", "exit 9\n")
        code, text = self.check("--cuda", self.toolkit(), "--arch", "9.0")
        self.assertEqual(code, 0, text)
        self.assertIn("driver: none here\n", text)

    def test_versions_that_do_not_fit_each_other_are_explained(self):
        self.refused(["does not know CUDA 13.0", "4.13 or later"], "--cuda", self.toolkit(), "--arch", "9.0", "--source",
                     self.source("4.12.0"))

    def test_a_cudnn_that_opencv_does_not_know_is_explained(self):
        self.refused(["does not know cuDNN 9.19", "4.10 or later"], "--cuda", self.toolkit("12.4"), "--arch", "9.0",
                     "--source", self.source("4.9.0"))

    def test_a_cudnn_of_eight_goes_with_an_older_opencv(self):
        code, text = self.check("--cuda", self.toolkit("12.4", cudnn=(8, 9)), "--arch", "9.0", "--source",
                                self.source("4.9.0"))
        self.assertEqual(code, 0, text)

    def test_a_driver_that_is_too_old_is_explained(self):
        self.device(driver="12.4")
        self.refused(["driver here runs CUDA 12.4 at most", "toolkit is 13.0"], "--cuda", self.toolkit())

    def test_a_driver_of_the_same_major_version_will_do(self):
        self.device(driver="12.2")
        code, text = self.check("--cuda", self.toolkit("12.6"))
        self.assertEqual(code, 0, text)

    def test_what_is_missing_is_named(self):
        if not pathlib.Path("/usr/include/cudnn_version.h").exists():
            self.refused(["no cuDNN", "cudnn9-cuda-13"], "--cuda", self.toolkit(cudnn=None), "--arch", "9.0")
        self.refused(["no CUDA toolkit", "nowhere"], "--cuda", self.folder / "nowhere", "--arch", "9.0")
        self.refused(["no OpenCV source"], "--cuda", self.toolkit(), "--arch", "9.0", "--source", self.folder)

    def test_without_a_device_an_architecture_is_asked_for(self):
        self.program(self.tools / "nvidia-smi", "exit 9\n")
        self.refused(["no device to compile for", "--arch"], "--cuda", self.toolkit())

    def test_an_architecture_that_the_toolkit_lacks_is_explained(self):
        self.refused(["does not compile for 6.1", "7.5 8.0 8.6 9.0 12.0"], "--cuda", self.toolkit(), "--arch", "6.1")
        self.refused(["--arch is 'ampere'"], "--cuda", self.toolkit(), "--arch", "ampere", status=2)

    def test_wrong_usage_is_two(self):
        self.refused(["unknown argument: --frobnicate"], "--frobnicate", status=2)
        self.refused(["--arch needs a value"], "--arch", status=2)
        self.refused(["--jobs is 'many'"], "--jobs", "many", status=2)


if __name__ == "__main__":
    unittest.main()
