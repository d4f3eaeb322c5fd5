"""tests/interop/python_page_test.py: the code of docs/python.md, run from top to bottom in one folder; what it computes is
what headstart computed."""

import contextlib
import csv
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

from training_run import BINARY, CLASSES, DATASET, ROOT

PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(folder):
    """The names that the page's Python defines."""
    names = {}
    path = f"{BINARY.parent}{os.pathsep}{os.environ['PATH']}"
    with contextlib.chdir(folder):
        for language, code in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            if language == "sh":
                subprocess.run(["bash", "-euc", code], check=True, env={**os.environ, "PATH": path},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            else:
                assert language == "python", language
                exec(compile(code, f"{PAGE.name}: {code[:40]!r}", "exec"), names)
    return names


class PythonPageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        shutil.copytree(DATASET, cls.folder / "my-images")
        cls.names = run_page(cls.folder)
        with open(cls.folder / "my-model" / "predictions.csv", newline="", encoding="utf-8") as file:
            cls.predictions = list(csv.DictReader(file))
        cls.probabilities = np.array([[float(row[name]) for name in CLASSES] for row in cls.predictions])

    def test_the_cache_holds_a_row_for_every_image(self):
        features = self.names["features"]
        self.assertEqual(features.shape, (len(self.names["images"]), 25088))
        self.assertGreater(features.nnz, 0)

    def test_scikit_learn_learns_something(self):
        self.assertEqual(list(self.names["class_names"]), CLASSES)
        self.assertGreater(self.names["scores"].mean(), 2 / len(CLASSES))

    def test_keras_predicts_as_headstart(self):
        self.assertEqual([image["path"] for image in self.names["validation"]],
                         [row["path"] for row in self.predictions])
        np.testing.assert_allclose(self.names["probabilities"], self.probabilities, rtol=0, atol=1e-4)
        np.testing.assert_allclose(self.names["from_pixels"], self.probabilities, rtol=0, atol=1e-4)

    def test_keras_goes_on_training_and_saves(self):
        self.assertTrue(np.isfinite(self.names["history"].history["loss"]).all())
        self.assertGreater((self.folder / "continued.keras").stat().st_size, 1 << 20)
        self.assertTrue((self.folder / "saved-model" / "saved_model.pb").is_file())

    def test_onnx_runtime_agrees_but_for_the_rounding_of_pixels(self):
        self.assertEqual(self.names["names"], CLASSES)
        outputs = self.names["outputs"]
        self.assertLess(np.abs(outputs - self.probabilities).max(), 0.05)
        self.assertLess(np.abs(outputs - self.probabilities).mean(), 0.01)


if __name__ == "__main__":
    unittest.main()
