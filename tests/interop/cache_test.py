"""tests/interop/cache_test.py: a cache segment read by h5py, SciPy and AnnData holds what Keras's VGG16 computes.

Reads the format as docs/cache-format.md specifies it, by none of headstart's own code.
"""

import hashlib
import json
import unittest

import anndata.io
import h5py
import keras
import numpy as np
import scipy.sparse

from training_run import (CACHE, CLASSES, DATASET, FLOAT16_CACHE, IMAGES_PER_CLASS, VIEWS, VIEWS_CACHE, VIEWS_DATASET,
                          WEIGHTS, decoded, preprocessed, preprocessed_images)
from views import draw_view, view_key

COLUMNS = 7 * 7 * 512
WEIGHTS_IDENTITY = "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd"


def segments_of(cache):
    return sorted(cache.glob("*/block5_pool/segment-*.h5"))


def rows_of(segments):
    """Key (for an image, the SHA-256 of its file) -> features."""
    rows = {}
    for segment in segments:
        with h5py.File(segment) as file:
            group = file["activations"]
            data = group["data"][()].astype(np.float32)  # SciPy has no float16
            features = scipy.sparse.csr_matrix((data, group["indices"][()], group["indptr"][()]),
                                               shape=group.attrs["shape"])
            for key, row in zip(file["sha256"][()], features.toarray(), strict=True):
                rows[bytes(key)] = row
    return rows


class CacheTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.segments = segments_of(CACHE)
        cls.rows = rows_of(cls.segments)

    def test_segments_are_named_by_the_hash_of_their_bytes(self):
        self.assertTrue(self.segments)
        for segment in self.segments:
            self.assertEqual(segment.name, f"segment-{hashlib.sha256(segment.read_bytes()).hexdigest()}.h5")

    def test_the_fingerprint_is_the_hash_of_the_extractor_configuration(self):
        (extractor,) = CACHE.glob("*/extractor.json")
        text = extractor.read_bytes()
        self.assertEqual(extractor.parent.name, hashlib.sha256(text).hexdigest()[:16])
        configuration = json.loads(text)
        canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
        self.assertEqual(text.decode(), canonical)
        self.assertEqual(configuration["weights_identity"], WEIGHTS_IDENTITY)

    def test_every_image_has_a_row_under_the_hash_of_its_bytes(self):
        digests = {hashlib.sha256(path.read_bytes()).digest() for path in DATASET.glob("*/*.jpg")}
        self.assertEqual(set(self.rows), digests)
        self.assertGreater(len(digests), len(CLASSES) * (IMAGES_PER_CLASS - 1))

    def test_features_are_those_of_keras(self):
        paths = [str(min((DATASET / name).iterdir()).relative_to(DATASET)) for name in CLASSES]
        paths += [str(max((DATASET / name).iterdir()).relative_to(DATASET)) for name in CLASSES[:2]]
        model = keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        expected = model.predict(preprocessed(paths), verbose=0).reshape(len(paths), COLUMNS)  # row, column, channel
        for path, keras_row in zip(paths, expected, strict=True):
            with self.subTest(path):
                self.expect_equal(self.rows[hashlib.sha256((DATASET / path).read_bytes()).digest()], keras_row)

    def test_views_are_crops_and_flips_of_the_decoded_image(self):
        rows = rows_of(segments_of(VIEWS_CACHE))
        images = {}  # key -> pixels
        for path in VIEWS_DATASET.glob("*/*.jpg"):
            pixels = decoded(path)
            content = hashlib.sha256(path.read_bytes()).digest()
            images[content] = pixels
            for index in range(1, VIEWS + 1):
                key = view_key(content, index)
                flip, x, y, width, height = draw_view(key, pixels.shape[1], pixels.shape[0])
                crop = pixels[y:y + height, x:x + width]
                images[key] = crop[:, ::-1] if flip else crop
        self.assertEqual(set(rows), set(images))
        self.assertEqual(len(rows), 2 * (1 + VIEWS))
        model = keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        expected = model.predict(preprocessed_images(images.values()), verbose=0).reshape(len(images), COLUMNS)
        for key, keras_row in zip(images, expected, strict=True):
            with self.subTest(key.hex()):
                self.expect_equal(rows[key], keras_row)

    def test_float16_rows_are_the_float32_rows_rounded_by_numpy(self):
        floats, halves = rows_of(segments_of(VIEWS_CACHE)), rows_of(segments_of(FLOAT16_CACHE))
        self.assertEqual(set(halves), set(floats))
        self.assertEqual(len(halves), 2 * (1 + VIEWS))
        for key, row in floats.items():
            np.testing.assert_array_equal(halves[key], row.astype(np.float16).astype(np.float32))
            self.assertGreater(np.count_nonzero(halves[key] != row), 100)

    def test_float16_segments_say_so_to_h5py_and_anndata(self):
        segments = segments_of(FLOAT16_CACHE)
        self.assertTrue(segments)
        for segment in segments:
            with h5py.File(segment) as file:
                self.assertEqual(file.attrs["format_version"], 2)
                self.assertEqual(file["activations"]["data"].dtype, np.float16)
                matrix = anndata.io.sparse_dataset(file["activations"])  # which read_elem can't load: SciPy again
                self.assertEqual(matrix.shape, (len(file["sha256"]), COLUMNS))
                self.assertEqual(matrix.dtype, np.float16)

    def expect_equal(self, row, keras_row):
        error = np.linalg.norm(row - keras_row) / np.linalg.norm(keras_row)
        self.assertLess(error, 1e-5)
        # Mostly zeros on both sides: the rest must be there, and about as much of it.
        self.assertGreater(np.linalg.norm(row), 100)
        self.assertAlmostEqual(np.mean(row != 0), np.mean(keras_row != 0), delta=1e-3)
        self.assertGreater(np.mean(row != 0), 0.02)

    def test_anndata_reads_the_activations_by_its_own_convention(self):
        for segment in self.segments:
            with h5py.File(segment) as file:
                matrix = anndata.io.read_elem(file["activations"])
                self.assertIsInstance(matrix, scipy.sparse.csr_matrix)
                self.assertEqual(matrix.shape, (len(file["sha256"]), COLUMNS))
                self.assertEqual(matrix.dtype, np.float32)
                self.assertTrue(matrix.has_canonical_format)
                for key, row in zip(file["sha256"][()], matrix.toarray(), strict=True):
                    np.testing.assert_array_equal(row, self.rows[bytes(key)])


if __name__ == "__main__":
    unittest.main()
