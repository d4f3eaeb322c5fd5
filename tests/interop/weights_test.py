"""tests/interop/weights_test.py: headstart reads VGG16 as Keras 2, Keras 3, safetensors and ONNX write it today, and
knows it is the same."""

import hashlib
import subprocess
import unittest

import h5py
import keras
import numpy as np
import onnx
import safetensors.numpy
import tf_keras

from training_run import BINARY, CACHE, DATASET, FOLDER, WEIGHTS


def cached_files():
    return sorted(str(path.relative_to(CACHE)) for path in CACHE.rglob("segment-*.h5"))


# The numbers of torchvision's modules, which count ReLUs and pools.
MODULES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
LAST_OF_BLOCK = [2, 7, 14, 21, 28]


def embedded_convolutions():
    """[(kernel as HWIO, bias)] of the embedded file, read with h5py."""
    with h5py.File(WEIGHTS) as file:
        layers = [file[name] for name in file.attrs["layer_names"] if "conv" in str(name)]
        return [tuple(layer[name][()] for name in layer.attrs["weight_names"]) for layer in layers]


def identity_of(convolutions):
    digest = hashlib.sha256()
    for kernel, bias in convolutions:
        digest.update(kernel.astype("<f4").tobytes() + bias.astype("<f4").tobytes())
    return digest.hexdigest()


def state_dict(convolutions, prefix=""):
    """What torchvision's vgg16().state_dict() holds, kernels outputs first, without the classifier."""
    tensors = {}
    for module, (kernel, bias) in zip(MODULES, convolutions, strict=True):
        tensors[f"{prefix}features.{module}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        tensors[f"{prefix}features.{module}.bias"] = bias
    return tensors


def onnx_model(convolutions, raw):
    """A checked ONNX model; values as raw bytes or as a list of floats."""
    nodes, initializers, value = [], [], "input"
    for name, array in state_dict(convolutions).items():
        values = array.tobytes() if raw else array.ravel()
        initializers.append(onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, array.shape, values, raw=raw))
    for module in MODULES:
        weights = [f"features.{module}.{parameter}" for parameter in ("weight", "bias")]
        nodes.append(onnx.helper.make_node("Conv", [value, *weights], [f"conv{module}"], pads=[1, 1, 1, 1]))
        nodes.append(onnx.helper.make_node("Relu", [f"conv{module}"], [f"relu{module}"]))
        value = f"relu{module}"
        if module in LAST_OF_BLOCK:
            nodes.append(
                onnx.helper.make_node("MaxPool", [value], [f"pool{module}"], kernel_shape=[2, 2], strides=[2, 2])
            )
            value = f"pool{module}"
    information = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "vgg16",
        [information("input", onnx.TensorProto.FLOAT, [1, 3, 224, 224])],
        [information(value, onnx.TensorProto.FLOAT, [1, 512, 7, 7])],
        initializers,
    )
    model = onnx.helper.make_model(graph, producer_name="a test")
    onnx.checker.check_model(model)
    return model


class WeightsTest(unittest.TestCase):
    def info(self, weights):
        """What headstart info says about the file: {"identity": ..., "preprocessing": ..., ...}"""
        lines = subprocess.run(
            [BINARY, "info", "--weights", weights], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        return dict(line.split(maxsplit=1) for line in lines if len(line.split()) > 1)

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

    def test_safetensors_are_the_same_network(self):
        convolutions = embedded_convolutions()
        file = FOLDER / "vgg16.safetensors"
        tensors = state_dict(convolutions, prefix="model.")
        tensors["model.classifier.6.weight"] = np.full((2, 3), np.nan, np.float16)
        safetensors.numpy.save_file(tensors, file, metadata={"format": "pt"})
        info = self.info(file)
        self.assertEqual(info["identity"], identity_of(convolutions))
        self.assertEqual(info["format"], "safetensors")
        self.assertTrue(info["preprocessing"].startswith("caffe: BGR"), info["preprocessing"])
        self.assert_every_row_is_found_in_the_cache(file)

    def test_onnx_is_the_same_network(self):
        convolutions = embedded_convolutions()
        file = FOLDER / "vgg16.onnx"
        onnx.save(onnx_model(convolutions, raw=True), file)
        info = self.info(file)
        self.assertEqual(info["identity"], identity_of(convolutions))
        self.assertEqual(info["format"], "ONNX, by a test")
        self.assertTrue(info["preprocessing"].startswith("caffe: BGR"), info["preprocessing"])
        self.assert_every_row_is_found_in_the_cache(file)

    def test_onnx_with_values_as_a_list_of_floats_is_read_too(self):
        convolutions = embedded_convolutions()
        file = FOLDER / "vgg16_float_data.onnx"
        onnx.save(onnx_model(convolutions, raw=False), file)
        self.assertEqual(self.info(file)["identity"], identity_of(convolutions))

    def test_the_order_of_channels_and_other_values_tell_the_preprocessing(self):
        convolutions = embedded_convolutions()
        first, bias = convolutions[0]
        file = FOLDER / "vgg16_other.safetensors"
        for kernel, expected in (
            (first[:, :, ::-1], "caffe-rgb: RGB, 0..255"),
            (first[..., ::-1], "torchvision: RGB, 0..1"),
        ):
            other = [(np.ascontiguousarray(kernel), bias), *convolutions[1:]]
            safetensors.numpy.save_file(state_dict(other), file)
            info = self.info(file)
            self.assertEqual(info["identity"], identity_of(other))
            self.assertTrue(info["preprocessing"].startswith(expected), info["preprocessing"])

    def test_weights_outside_of_the_onnx_file_are_refused(self):
        file = FOLDER / "vgg16_external.onnx"
        model = onnx_model(embedded_convolutions(), raw=True)
        onnx.save(model, file, save_as_external_data=True, location="vgg16_external.data")
        refused = subprocess.run([BINARY, "info", "--weights", file], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("are in another file", refused.stderr)


if __name__ == "__main__":
    unittest.main()
