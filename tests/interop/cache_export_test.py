"""tests/interop/cache_export_test.py: what `headstart cache export` writes, read with h5py and NumPy as docs/features-file.md
says, and trained on with scikit-learn."""

import csv
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np
import sklearn.linear_model

from cache_test import rows_of, segments_of
from training_run import BINARY, CACHE, CLASSES, DATASET


def export(file, *options):
    subprocess.run([BINARY, "cache", "export", DATASET, "-o", file, "--cache", CACHE, "--quiet", *options], check=True,
                   stdout=subprocess.DEVNULL)


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        export(cls.folder / "flat.h5")
        cls.cached = rows_of(segments_of(CACHE))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_rows_are_those_of_the_cache_beside_their_paths_and_labels(self):
        with h5py.File(self.folder / "flat.h5") as file:
            features = file["features"][()]
            paths = file["paths"].asstr()[()]
            names = list(file["class_names"].asstr()[()])
            self.assertEqual(names, CLASSES)
            self.assertEqual(features.dtype, np.float32)
            self.assertEqual(len(paths), len(features))
            self.assertGreater(len(paths), 40)
            self.assertEqual(set(file["split"].asstr()[()]), {""})
            for path, label, key, row in zip(paths, file["labels"][()], file["sha256"][()], features, strict=True):
                self.assertEqual(path.split("/")[0], names[label])
                self.assertEqual(bytes(key), hashlib.sha256((DATASET / path).read_bytes()).digest())
                np.testing.assert_array_equal(row, self.cached[bytes(key)])

    def test_pooled_float16_rows_are_the_rounded_means_of_the_maps(self):
        export(self.folder / "pooled.h5", "--pooling", "avg", "--dtype", "float16")
        with h5py.File(self.folder / "flat.h5") as flat, h5py.File(self.folder / "pooled.h5") as pooled:
            expected = flat["features"][()].reshape(-1, 7, 7, 512).mean(axis=(1, 2), dtype=np.float64)
            self.assertEqual(pooled["features"].dtype, np.float16)
            np.testing.assert_allclose(pooled["features"][()], expected, rtol=2.0**-11 + 1e-6, atol=1e-7)

    def test_scikit_learn_trains_on_it(self):
        export(self.folder / "max.h5", "--pooling", "max")
        with h5py.File(self.folder / "max.h5") as file:
            features, labels = file["features"][()], file["labels"][()]
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        model = sklearn.linear_model.LogisticRegression(C=1000, max_iter=2000).fit(features[::2], labels[::2])
        self.assertGreater(model.score(features[1::2], labels[1::2]), 0.5)

    def test_headstart_trains_on_rows_that_python_picked_and_wrote(self):
        """As docs/features-file.md shows it; chunked, compressed and of other strings than headstart writes."""
        picked = self.folder / "picked.h5"
        with h5py.File(self.folder / "flat.h5") as file, h5py.File(picked, "w") as out:
            keep = np.arange(0, len(file["labels"]), 2)
            for name, value in file.attrs.items():
                out.attrs[name] = value
            for name in ("labels", "paths", "split", "group", "sha256"):
                out[name] = file[name][()][keep]
            out["class_names"] = np.array([name.encode() for name in CLASSES], dtype="S32")
            out.create_dataset("features", data=file["features"][()][keep].astype(np.float64), compression="gzip",
                               shuffle=True, chunks=(3, 1000))
        run = subprocess.run([BINARY, "train", "--features", picked, "-o", self.folder / "model", "--quiet"], check=True,
                             stdout=subprocess.PIPE, text=True)
        rows = [line.split() for line in run.stdout.splitlines()]
        images = {row[0]: int(row[1]) for row in rows if row and row[0] in ("training", "validation")}
        self.assertEqual(sum(images.values()), len(keep))
        self.assertTrue((self.folder / "model" / "model.h5").exists())

    def test_npy_and_the_files_beside_it_say_what_hdf5_says(self):
        folder = self.folder / "npy"
        folder.mkdir()
        for dtype in ("float32", "float16"):
            export(folder / "features.npy", "--pooling", "avg", "--dtype", dtype)  # and replaces its own files
            export(self.folder / "same.h5", "--pooling", "avg", "--dtype", dtype)
            features = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
            with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            facts = json.loads((folder / "features.json").read_text(encoding="utf-8"))
            with h5py.File(self.folder / "same.h5") as file:
                self.assertEqual(features.dtype, np.dtype(dtype))
                self.assertTrue(features.flags.c_contiguous)
                np.testing.assert_array_equal(features, file["features"][()])
                self.assertEqual([row["path"] for row in rows], list(file["paths"].asstr()[()]))
                self.assertEqual([row["label"] for row in rows], [CLASSES[label] for label in file["labels"][()]])
                self.assertEqual([row["split"] for row in rows], list(file["split"].asstr()[()]))
                self.assertEqual([row["group"] for row in rows], list(file["group"].asstr()[()]))
                self.assertEqual([row["sha256"] for row in rows], [bytes(key).hex() for key in file["sha256"][()]])
                self.assertEqual(facts["class_names"], CLASSES)
                self.assertEqual(facts["extractor"], json.loads(file.attrs["extractor"]))
                self.assertEqual(facts["map_shape"], file.attrs["map_shape"].tolist())
                for name in ("format", "format_version", "tap", "pooling"):
                    self.assertEqual(facts[name], file.attrs[name])

    def test_headstart_trains_on_rows_that_numpy_picked_and_wrote(self):
        """To the same predictions, whichever format of .npy and type of number: float64 holds every float32."""
        whole = self.folder / "whole"
        whole.mkdir()
        export(whole / "f.npy", "--pooling", "avg")
        features = np.load(whole / "f.npy")
        with open(whole / "labels.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[::2]
        results = []
        for version, dtype in (((1, 0), "<f4"), ((2, 0), "<f8")):
            picked = self.folder / f"picked{dtype[1:]}"
            picked.mkdir()
            with open(picked / "f.npy", "wb") as file:
                np.lib.format.write_array(file, features[::2].astype(dtype), version=version)
            with open(picked / "labels.csv", "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, ["sha256", "label", "path", "split"], extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
            shutil.copy(whole / "f.json", picked)
            subprocess.run([BINARY, "train", "--features", picked / "f.npy", "-o", picked / "model", "--quiet"], check=True,
                           stdout=subprocess.DEVNULL)
            results.append((picked / "model" / "predictions.csv").read_text(encoding="utf-8"))
        self.assertEqual(results[0], results[1])

    def test_what_numpy_can_write_and_headstart_cannot_read_is_one_line(self):
        folder = self.folder / "refused"
        folder.mkdir()
        export(folder / "f.npy", "--pooling", "avg")
        features = np.load(folder / "f.npy")
        records = np.zeros(len(features), [("a", "<f4"), ("b", "<f4")])
        for array, words in ((np.asfortranarray(features), "numpy.ascontiguousarray"), (features.astype(">f4"), "'>f4'"),
                             (features.astype(int), "'<i8'"), (records, "not one type"), (features[0], "1 dimensions"),
                             (features[1:], "more rows than the features"), (features[:, 1:], "511 columns"),
                             (features.astype(object), "'|O'")):
            np.save(folder / "f.npy", array, allow_pickle=True)
            run = subprocess.run([BINARY, "train", "--features", folder / "f.npy", "-o", folder / "none"],
                                 stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertIn(words, run.stderr)
            self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
            self.assertFalse((folder / "none").exists())

    def test_features_of_other_weights_are_refused(self):
        """No model could be made of them: it would hold a network that the head was not trained on."""
        other = self.folder / "other.h5"
        with h5py.File(self.folder / "flat.h5") as file, h5py.File(other, "w") as out:
            for name in file:
                file.copy(name, out)
            for name, value in file.attrs.items():
                out.attrs[name] = value
            identity = json.loads(file.attrs["extractor"])["weights_identity"]
            out.attrs["extractor"] = file.attrs["extractor"].replace(identity, identity[::-1])
        run = subprocess.run([BINARY, "train", "--features", other, "-o", self.folder / "none"], stderr=subprocess.PIPE,
                             text=True, check=False)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("the features are of other weights", run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertFalse((self.folder / "none").exists())


if __name__ == "__main__":
    unittest.main()
