"""tests/interop/model_test.py: Keras 3 and Keras 2 load model.h5 and compute what headstart computed."""

import unittest

import h5py
import keras
import numpy as np
import tf_keras

from training_run import CLASSES, HIDDEN, L2, LEARNING_RATE, OUT, TUNED, WEIGHTS, predictions, preprocessed, read_json

MODEL = OUT / "model.h5"
CONVOLUTIONS = [2, 2, 3, 3, 3]  # in each block


def expected_layers():
    """(class name, layer name) of every layer, first to last."""
    layers = [("InputLayer", "input_layer")]
    for block, convolutions in enumerate(CONVOLUTIONS, start=1):
        layers += [("Conv2D", f"block{block}_conv{i}") for i in range(1, convolutions + 1)]
        layers.append(("MaxPooling2D", f"block{block}_pool"))
    return layers + [("Flatten", "flatten"), ("Dense", "hidden_1"), ("Dense", "predictions")]


class ModelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths, cls.labels, _, cls.probabilities = predictions()
        cls.images = preprocessed(cls.paths)
        cls.model = keras.models.load_model(MODEL, compile=False)

    def assert_headstarts_probabilities(self, probabilities):
        self.assertGreaterEqual(len(probabilities), 12)
        self.assertGreater(np.std(self.probabilities, axis=0).min(), 1e-3, "rows alike would prove nothing")
        np.testing.assert_allclose(probabilities, self.probabilities, rtol=0, atol=1e-4)

    def test_keras_3_computes_headstarts_probabilities(self):
        self.assert_headstarts_probabilities(self.model.predict(self.images, batch_size=8, verbose=0))

    def test_keras_2_computes_headstarts_probabilities(self):
        model = tf_keras.models.load_model(MODEL, compile=False)
        self.assert_headstarts_probabilities(model.predict(self.images, batch_size=8, verbose=0))

    def test_a_compiled_keras_model_reports_headstarts_loss_and_accuracy(self):
        one_hot = np.eye(len(CLASSES), dtype=np.float32)[self.labels]
        reported = read_json("metrics.json")["validation"]
        for library in (keras, tf_keras):
            with self.subTest(library.__name__):
                model = library.models.load_model(MODEL, compile=True)
                loss, accuracy = model.evaluate(self.images, one_hot, batch_size=8, verbose=0)
                self.assertAlmostEqual(accuracy, reported["accuracy"], places=6)
                np.testing.assert_allclose(loss, reported["loss"], rtol=1e-4)

    def test_training_can_go_on_in_keras_with_the_same_optimiser(self):
        for library in (keras, tf_keras):
            with self.subTest(library.__name__):
                optimizer = library.models.load_model(MODEL, compile=True).optimizer
                self.assertEqual(type(optimizer).__name__, "SGD")
                self.assertAlmostEqual(float(optimizer.learning_rate.numpy()), LEARNING_RATE, places=9)
                self.assertAlmostEqual(float(optimizer.momentum), 0.9, places=6)
                self.assertFalse(optimizer.nesterov)

    def test_the_layers_are_vgg16_flatten_and_the_head(self):
        with h5py.File(MODEL) as file:
            stored = [name.decode() for name in file["model_weights"].attrs["layer_names"]]
        expected = expected_layers()
        # Keras doesn't count the input among a Sequential's layers, nor need the file store its (no) weights.
        self.assertEqual([(type(layer).__name__, layer.name) for layer in self.model.layers], expected[1:])
        self.assertEqual([name for name in stored if name != "input_layer"], [name for _, name in expected[1:]])
        self.assertEqual(self.model.input_shape, (None, 224, 224, 3))
        self.assertEqual(self.model.output_shape, (None, len(CLASSES)))
        hidden, last = self.model.layers[-2:]
        self.assertEqual((hidden.units, hidden.activation.__name__), (HIDDEN, "relu"))
        self.assertEqual((last.units, last.activation.__name__), (len(CLASSES), "softmax"))
        for layer in (hidden, last):
            self.assertAlmostEqual(float(layer.kernel_regularizer.l2), L2, places=9)
            self.assertIsNone(layer.bias_regularizer)
        for layer in self.model.layers:
            self.assertEqual(layer.trainable, not layer.name.startswith("block") or layer.name.endswith("pool"))

    def test_the_convolutions_are_those_of_the_weights_file_bit_for_bit(self):
        vgg16 = keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        compared = 0
        for layer in vgg16.layers:
            for ours, theirs in zip(self.model.get_layer(layer.name).get_weights() if layer.weights else [],
                                    layer.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, theirs)
                compared += 1
        self.assertEqual(compared, 2 * sum(CONVOLUTIONS))

    def test_what_keras_loads_is_what_the_file_stores(self):
        with h5py.File(MODEL) as file:
            for layer in self.model.layers:
                group = file["model_weights"][layer.name]
                stored = [group[name.decode()][()] for name in group.attrs["weight_names"]]
                for loaded, value in zip(layer.get_weights(), stored, strict=True):
                    np.testing.assert_array_equal(loaded, value)

    def test_the_file_keeps_to_the_legacy_format(self):
        attributes = []
        with h5py.File(MODEL) as file:
            attributes.extend(file.attrs.get_id(name) for name in file.attrs)
            file.visititems(lambda _, item: attributes.extend(item.attrs.get_id(name) for name in item.attrs))
            self.assertLessEqual({"keras_version", "backend", "model_config", "training_config"}, set(file.attrs))
            self.assertNotIn("optimizer_weights", file)
            self.assertNotIn("top_level_model_weights", file["model_weights"])
            self.assertIn("headstart", file)
            self.assertGreater(len(attributes), 2 * sum(CONVOLUTIONS))
            for attribute in attributes:
                self.assertLess(attribute.dtype.itemsize * int(np.prod(attribute.shape)), 64 * 1024)
                string = h5py.check_string_dtype(attribute.dtype)
                self.assertTrue(string is None or string.length is not None, "a variable-length string")


class TunedModelTest(unittest.TestCase):
    """The same of a model whose block5 was fine-tuned."""

    @classmethod
    def setUpClass(cls):
        cls.paths, cls.labels, _, cls.probabilities = predictions(TUNED)
        cls.images = preprocessed(cls.paths)

    def test_both_keras_compute_headstarts_probabilities_loss_and_accuracy(self):
        one_hot = np.eye(len(CLASSES), dtype=np.float32)[self.labels]
        reported = read_json("metrics.json", TUNED)["validation"]
        self.assertGreater(np.std(self.probabilities, axis=0).min(), 1e-3, "rows alike would prove nothing")
        for library in (keras, tf_keras):
            with self.subTest(library.__name__):
                model = library.models.load_model(TUNED / "model.h5", compile=True)
                probabilities = model.predict(self.images, batch_size=8, verbose=0)
                np.testing.assert_allclose(probabilities, self.probabilities, rtol=0, atol=1e-4)
                loss, accuracy = model.evaluate(self.images, one_hot, batch_size=8, verbose=0)
                self.assertAlmostEqual(accuracy, reported["accuracy"], places=6)
                np.testing.assert_allclose(loss, reported["loss"], rtol=1e-4)

    def test_block5_and_nothing_below_was_trained_and_can_be_further(self):
        before = keras.models.load_model(MODEL, compile=False)
        after = keras.models.load_model(TUNED / "model.h5", compile=False)
        for layer in after.layers:
            if not layer.name.startswith("block") or layer.name.endswith("pool"):
                continue
            tuned = layer.name.startswith("block5")
            same = np.array_equal(layer.get_weights()[0], before.get_layer(layer.name).get_weights()[0])
            self.assertEqual((layer.trainable, same), (tuned, not tuned), layer.name)
            if tuned:
                self.assertAlmostEqual(float(layer.kernel_regularizer.l2), L2, places=9)


if __name__ == "__main__":
    unittest.main()
