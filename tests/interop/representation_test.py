"""tests/interop/representation_test.py: Keras 3 and Keras 2 load model.h5 of every pooling and transform and compute what
headstart computed. The convolutions are the same in all of them, and model_test's business: they run once.
"""

import csv
import itertools
import json
import subprocess
import unittest

import h5py
import keras
import numpy as np
import tf_keras

from training_run import BINARY, CACHE, CLASSES, DATASET, FOLDER, predictions, preprocessed

POOLINGS = {"flatten": "Flatten", "avg": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D"}
# A learning rate for each transform that moves the weights well away from where they began.
LEARNING_RATES = {"none": 1e-4, "unit": 0.5, "scale": 2.0, "standardize": 2e-3}
RUNS = [(pooling, transform, "16") for pooling, transform in itertools.product(POOLINGS, LEARNING_RATES)]
RUNS += [("avg", "standardize", "0"), ("max", "unit", "0"), ("avg", "scale", "16,8"), ("max", "unit", "16,8")]


def train(pooling, transform, hidden):
    """The folder of a run; its features are in the cache."""
    out = FOLDER / f"representation-{pooling}-{transform}-{hidden}"
    subprocess.run(
        [BINARY, "train", DATASET, "-o", out, "--cache", CACHE, "--validation", "0.5", "--seed", "7", "--epochs", "2",
         "--hidden", hidden, "--pooling", pooling, "--transform", transform, "--force", "--quiet",
         "--learning-rate", str(LEARNING_RATES[transform])], check=True, stdout=subprocess.DEVNULL)
    return out


def probabilities_of(out, paths):
    with open(out / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == paths
    return np.array([[float(row[name]) for name in CLASSES] for row in rows])


class RepresentationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths = predictions()[0]  # the same split: it depends on the seed alone
        cls.out = {run: train(*run) for run in RUNS}
        cls.maps = None

    def expected_layers(self, pooling, transform, hidden):
        widths = [] if hidden == "0" else hidden.split(",")
        unit = ["UnitNormalization"] if transform == "unit" else []
        return [POOLINGS[pooling], *unit, *["Dense"] * (len(widths) + 1)]

    def check(self, library, runs):
        for run in runs:
            out = self.out[run]
            with self.subTest(library=library.__name__, run=run):
                model = library.models.load_model(out / "model.h5", compile=False)
                tap = [layer.name for layer in model.layers].index("block5_pool")
                if self.maps is None:
                    images = preprocessed(self.paths)
                    network = library.Sequential(model.layers[:tap + 1])
                    RepresentationTest.maps = network.predict(images, batch_size=8, verbose=0)
                    self.assertEqual(self.maps.shape, (len(self.paths), 7, 7, 512))
                head = model.layers[tap + 1:]
                self.assertEqual([type(layer).__name__ for layer in head], self.expected_layers(*run))
                rows = self.maps
                for layer in head:
                    rows = layer(rows)
                expected = probabilities_of(out, self.paths)
                self.assertGreater(np.std(expected, axis=0).min(), 1e-3, "rows alike would prove nothing")
                np.testing.assert_allclose(np.asarray(rows), expected, rtol=0, atol=1e-4)

    def test_keras_3_computes_headstarts_probabilities(self):
        self.check(keras, RUNS)

    def test_keras_2_computes_headstarts_probabilities(self):
        # Every kind of layer once: loading takes the time.
        self.check(tf_keras, [(pooling, "unit", "16") for pooling in POOLINGS] + RUNS[-4:])

    def test_a_kernel_with_a_folded_transform_has_no_regularizer(self):
        for run, out in self.out.items():
            with self.subTest(run=run), h5py.File(out / "model.h5") as file:
                layers = json.loads(file.attrs["model_config"])["config"]["layers"]
                first, *others = [layer["config"] for layer in layers if layer["class_name"] == "Dense"]
                self.assertEqual(first["kernel_regularizer"] is None, run[1] in ("scale", "standardize"))
                for layer in others:
                    self.assertEqual(layer["kernel_regularizer"]["config"]["l2"], 1e-4)

    def test_a_row_of_zeros_stays_one_in_the_unit_layer(self):
        # Where |x| is floored differs between Keras 2 and 3; a row without activations must not become NaN in either.
        for library in (keras, tf_keras):
            model = library.models.load_model(self.out["avg", "unit", "16"] / "model.h5", compile=False)
            unit = model.get_layer("unit_normalization")
            np.testing.assert_array_equal(np.asarray(unit(np.zeros((1, 512), np.float32))), 0)


if __name__ == "__main__":
    unittest.main()
