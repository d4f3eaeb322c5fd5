"""tests/interop/network_test.py: VGG19 with random weights, made by Keras: headstart's taps, fine-tuning, model.h5 and ONNX
export are held against Keras and ONNX Runtime. Images have the network's size already, so that no resizing is between."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

import h5py
import keras
import numpy as np
import onnx
import onnxruntime
import PIL.Image
import safetensors.numpy
import tensorflow as tf
import tf_keras

from training_run import BINARY, DATASET, FOLDER, decoded, predictions

SIZE = int(os.environ.get("HEADSTART_NETWORK_SIZE", "64"))  # 224 takes ten minutes
TAPS = [f"block{block}_pool" for block in range(1, 6)]
ENGINES = ["native", "onednn", "opencv"]
HERE = FOLDER / "vgg19"
WEIGHTS = HERE / "vgg19.h5"
IMAGES = HERE / "images"
CLASSES = ["even", "odd"]
PER_CLASS = 6
BLOCK_RATE, HEAD_RATE = 1.0, 2.0  # of rows of length one


def headstart(*arguments, check=True):
    return subprocess.run([BINARY, *map(str, arguments)], check=check, capture_output=True, text=True)


def random_vgg19():
    """Weights of He's size, so that activations stay as large as they are, and biases that are not zero."""
    keras.utils.set_random_seed(19)
    model = keras.applications.VGG19(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    random = np.random.default_rng(19)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            deviation = np.sqrt(2.0 / np.prod(kernel.shape[:3]))
            layer.set_weights([random.normal(0, deviation, kernel.shape).astype(np.float32),
                               random.normal(0, 1.0, bias.shape).astype(np.float32)])
    return model


def convolutions(model):
    """[(name, kernel as HWIO, bias)]"""
    return [(layer.name, *layer.get_weights()) for layer in model.layers if layer.weights and "conv" in layer.name]


def relative_error(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def least_gap(network, images):
    """How far each image is from a jump of the gradient: ReLU jumps at 0, max-pooling where two values of a window are equal.

    The least such distance in block5, over the root mean square of the values. Rounding decides what lies nearer than that.
    """
    x = keras.Model(network.input, network.get_layer("block4_pool").output).predict(
        keras.applications.vgg19.preprocess_input(images.astype(np.float32)), batch_size=4, verbose=0)
    gaps = []
    for number in range(1, 5):
        kernel, bias = network.get_layer(f"block5_conv{number}").get_weights()
        z = tf.nn.conv2d(x, kernel, 1, "SAME").numpy() + bias
        x = np.maximum(z, 0)
        gaps.append(np.abs(z).min(axis=(1, 2, 3)) / np.sqrt(np.mean(z**2)))
    n, height, width, channels = x.shape
    windows = x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, channels)
    ordered = np.sort(windows.transpose(0, 1, 3, 5, 2, 4).reshape(n, -1, 4))
    first, second = ordered[..., 3], ordered[..., 2]
    gaps.append(np.where(first > 0, first - second, np.inf).min(axis=1) / np.sqrt(np.mean(x**2)))
    return np.min(gaps, axis=0)


def make_images(network):
    """The images whose gradients are farthest from a jump, so that a step of SGD can be compared to many digits."""
    originals = np.stack([np.asarray(PIL.Image.fromarray(decoded(DATASET / path)).resize((SIZE, SIZE)))
                          for path in predictions()[0]])
    turned = np.concatenate([np.rot90(originals, turns, axes=(1, 2)) for turns in range(4)])
    candidates = np.concatenate([turned, turned[:, ::-1]])
    chosen = np.sort(np.argsort(least_gap(network, candidates))[-len(CLASSES) * PER_CLASS:])
    pixels = np.concatenate([candidates[chosen[0::2]], candidates[chosen[1::2]]])  # headstart's order: sorted by path
    for i, image in enumerate(pixels):
        folder = IMAGES / CLASSES[i // PER_CLASS]
        folder.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(image).save(folder / f"{i:02}.png")
    return pixels


def predicted(model):
    """What headstart predict gives for the images, [n, classes]."""
    lines = headstart("predict", model, IMAGES, "--cache", HERE / "cache", "--format", "jsonl", "--top-k",
                      len(CLASSES)).stdout.splitlines()
    rows = [{p["class"]: p["probability"] for p in json.loads(line)["predictions"]} for line in lines]
    return np.array([[row[name] for name in CLASSES] for row in rows])


class NetworkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(HERE, ignore_errors=True)
        HERE.mkdir(parents=True)
        cls.network = random_vgg19()
        cls.network.save(WEIGHTS)
        cls.pixels = make_images(cls.network)
        cls.input = keras.applications.vgg19.preprocess_input(cls.pixels.astype(np.float32))
        cls.labels = np.eye(len(CLASSES), dtype=np.float32)[np.repeat([0, 1], PER_CLASS)]
        # One batch of all images, no validation: one step an epoch.
        cls.common = ["--cache", HERE / "cache", "--batch", len(cls.pixels), "--validation", "0", "--l2", "0",
                      "--momentum", "0", "--quiet"]
        headstart("train", IMAGES, "-o", HERE / "out", "--network", "vgg19", "--weights", WEIGHTS, "--input-size", SIZE,
                  "--pooling", "avg", "--transform", "unit", "--hidden", "0", "--learning-rate", HEAD_RATE, "--epochs", "20", *cls.common)
        cls.model = HERE / "out" / "model.h5"
        headstart("finetune", IMAGES, "-o", HERE / "tuned", "--from", cls.model, "--blocks", "1", "--learning-rate",
                  BLOCK_RATE, "--head-learning-rate", HEAD_RATE, "--epochs", "1", *cls.common)
        cls.tuned = HERE / "tuned" / "model.h5"

    def test_every_tap_of_every_engine_is_kerass(self):
        outputs = [self.network.get_layer(tap).output for tap in TAPS]
        expected = keras.Model(self.network.input, outputs).predict(self.input, batch_size=4, verbose=0)
        for engine in ENGINES:
            cache = HERE / f"cache-{engine}"
            common = ["--network", "vgg19", "--weights", WEIGHTS, "--input-size", SIZE, "--cache", cache, "--engine", engine]
            headstart("extract", IMAGES, "--tap", ",".join(TAPS), *common)
            for tap, activations in zip(TAPS, expected, strict=True):
                file = HERE / f"{engine}-{tap}.h5"
                headstart("cache", "export", IMAGES, "-o", file, "--tap", tap, *common)
                with h5py.File(file) as table, self.subTest(f"{engine} {tap}"):
                    found = table["features"][()].reshape(activations.shape)
                    self.assertGreater(np.count_nonzero(activations), activations.size // 20)
                    for row, correct in zip(found, activations, strict=True):
                        self.assertLessEqual(relative_error(row, correct), 1e-5)

    def test_a_fine_tuning_step_is_kerass(self):
        for backprop in ("native", "onednn"):
            out = HERE / f"tuned-{backprop}"
            headstart("finetune", IMAGES, "-o", out, "--from", self.model, "--blocks", "1", "--learning-rate", BLOCK_RATE,
                      "--head-learning-rate", HEAD_RATE, "--epochs", "1", "--backprop", backprop, *self.common)
            before = keras.models.load_model(self.model, compile=False)
            stepped = keras.models.load_model(self.model, compile=False)
            for layer in stepped.layers:
                layer.trainable = not layer.name.startswith("block") or layer.name.startswith("block5")
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.categorical_crossentropy(self.labels, stepped(self.input, training=True)))
            gradients = tape.gradient(loss, stepped.trainable_variables)
            for variable, gradient in zip(stepped.trainable_variables, gradients, strict=True):
                variable.assign_sub(gradient * (BLOCK_RATE if "block5" in variable.path else HEAD_RATE))
            after = keras.models.load_model(out / "model.h5", compile=False)
            moved = 0
            for layer in before.layers:
                weights = [model.get_layer(layer.name).get_weights() for model in (before, stepped, after)]
                for start, correct, found in zip(*weights, strict=True):
                    with self.subTest(f"{backprop} {layer.name}"):
                        if np.array_equal(start, correct):
                            np.testing.assert_array_equal(found, start)
                            continue
                        self.assertLessEqual(relative_error(found - start, correct - start), 1e-3)
                        moved += 1
            self.assertEqual(moved, 2 * 4 + 2, "block5 and the head")

    def test_both_keras_load_model_h5_and_compute_headstarts_probabilities(self):
        for file in (self.model, self.tuned):
            expected = predicted(file)
            self.assertGreater(np.std(expected, axis=0).min(), 1e-3, "rows alike would prove nothing")
            for library in (keras, tf_keras):
                with self.subTest(f"{library.__name__} {file.parent.name}"):
                    model = library.models.load_model(file, compile=True)
                    found = model.predict(self.input, batch_size=4, verbose=0)
                    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
        names = [layer.name for layer in keras.models.load_model(self.model, compile=False).layers]
        self.assertEqual(names[:-3], [layer.name for layer in self.network.layers[1:]])

    def test_exports_compute_headstarts_probabilities(self):
        for file in (self.model, self.tuned):
            expected = predicted(file)
            headstart("export", file, "--to", "onnx", "-o", HERE / "model.onnx")
            onnx.checker.check_model(onnx.load(HERE / "model.onnx"), full_check=True)
            session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
            np.testing.assert_allclose(session.run(None, {"pixels": self.pixels})[0], expected, rtol=0, atol=1e-4)
            headstart("export", file, "--to", "keras", "-o", HERE / "export.h5")
            model = keras.models.load_model(HERE / "export.h5", compile=False)
            np.testing.assert_allclose(model.predict(self.pixels.astype(np.float32), verbose=0), expected, rtol=0, atol=1e-4)

    def test_every_format_is_the_same_network(self):
        digest, tensors, module = hashlib.sha256(b"vgg19"), {}, 0
        for name, kernel, bias in convolutions(self.network):
            digest.update(kernel.tobytes() + bias.tobytes())
            tensors[f"features.{module}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            tensors[f"features.{module}.bias"] = bias
            # Each pool and each ReLU is a module.
            module += 3 if (name[5] in "12" and name.endswith("conv2")) or name.endswith("conv4") else 2
        safetensors.numpy.save_file(tensors, HERE / "vgg19.safetensors", metadata={"headstart.preprocessing": "caffe"})
        for file in (WEIGHTS, self.model, HERE / "vgg19.safetensors", HERE / "model.onnx"):
            if not file.exists():
                headstart("export", self.model, "--to", "onnx", "-o", file)
            with self.subTest(file.name):
                lines = headstart("info", "--network", "vgg19", "--weights", file).stdout.splitlines()
                info = dict(line.split(maxsplit=1) for line in lines if len(line.split()) > 1)
                self.assertEqual(info["network"], "VGG19")
                self.assertTrue(info["preprocessing"].startswith("caffe: BGR"), info["preprocessing"])
                self.assertEqual(info["identity"], digest.hexdigest())

    def test_files_and_messages_name_the_network(self):
        self.assertIn("VGG19", (HERE / "out" / "report.html").read_text(encoding="utf-8"))
        self.assertEqual(json.loads((HERE / "out" / "metrics.json").read_text())["network"], "vgg19")
        self.assertIn('network = "vgg19"', (HERE / "out" / "config.toml").read_text())
        self.assertIn("vgg19", headstart("cache", "list", "--cache", HERE / "cache").stdout)
        refused = headstart("info", "--weights", WEIGHTS, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("it holds VGG19's layers: pass --network vgg19", refused.stderr)
        refused = headstart("extract", IMAGES, "--network", "vgg19", "--cache", HERE / "cache", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("pass a file of VGG19's to --weights", refused.stderr)


if __name__ == "__main__":
    unittest.main()
