"""tests/interop/weights_test.py: headstart reads VGG16 as Keras 2 and Keras 3 write it today, and knows it is the same."""

import subprocess
import unittest

import keras
import tf_keras

from training_run import BINARY, CACHE, DATASET, FOLDER, WEIGHTS


def cached_files():
    return sorted(str(path.relative_to(CACHE)) for path in CACHE.rglob("segment-*.h5"))


class WeightsTest(unittest.TestCase):
    def assert_every_row_is_found_in_the_cache(self, weights):
        # The fingerprint covers the weights' identity: other numbers would open another folder and fill it.
        before = cached_files()
        self.assertTrue(before)
        subprocess.run([BINARY, "extract", DATASET, "--cache", CACHE, "--weights", weights], check=True)
        self.assertEqual(cached_files(), before)

    def test_a_keras_3_model_file_is_the_same_network(self):
        model = keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        model.save(FOLDER / "keras_3_model.h5")
        self.assert_every_row_is_found_in_the_cache(FOLDER / "keras_3_model.h5")

    def test_a_keras_2_weights_file_is_the_same_network(self):
        model = tf_keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        model.save_weights(FOLDER / "keras_2_weights.h5")
        self.assert_every_row_is_found_in_the_cache(FOLDER / "keras_2_weights.h5")


if __name__ == "__main__":
    unittest.main()
