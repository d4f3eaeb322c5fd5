"""tests/interop/onnx_test.py: what `headstart export` writes passes ONNX's checker, and ONNX Runtime, OpenVINO, OpenCV and
Keras compute from pixels what `headstart predict` computes from image files."""

import json
import subprocess
import unittest

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import openvino
import PIL.Image
import safetensors.numpy
import tf_keras

from training_run import BINARY, CLASSES, DATASET, FOLDER, OUT, TUNED, decoded, predictions
from weights_test import embedded_convolutions, state_dict

IMAGES = 12
# Every other kind of preprocessing, tap, pooling, transform and storage that a model may have: weights in RGB order and
# other values, as torchvision's are, at another size.
OTHER = {
    "average": ["--pooling", "avg", "--transform", "unit", "--hidden", "0", "--learning-rate", "0.5"],
    "maximum": ["--pooling", "max", "--transform", "standardize", "--hidden", "16,8", "--learning-rate", "0.01",
                "--storage", "float16", "--tap", "block4_pool"],
}


def other_model(name):
    """The model.h5 of a run with one of OTHER."""
    convolutions = embedded_convolutions()
    first, bias = convolutions[0]
    weights = FOLDER / "export.safetensors"
    # As torchvision's: channels the other way round, and kernels that take values of about -2 to 2.
    convolutions[0] = (np.ascontiguousarray(first[:, :, ::-1, ::-1]) * np.float32(58), bias[::-1].copy())
    safetensors.numpy.save_file(state_dict(convolutions), weights)
    out = FOLDER / f"export-{name}"
    subprocess.run([BINARY, "train", DATASET, "-o", out, "--cache", FOLDER / "export-cache", "--weights", weights,
                    "--input-size", "96", "--epochs", "10", "--quiet", *OTHER[name]],
                   check=True, stdout=subprocess.DEVNULL)
    return out / "model.h5"


class Exported:
    """A model.h5, its exports, and what headstart predicts for images that need no resizing."""

    def __init__(self, name, model, size):
        self.size = size
        self.onnx = FOLDER / f"{name}.onnx"
        self.keras = FOLDER / f"{name}.keras.h5"
        for form, file in (("onnx", self.onnx), ("keras", self.keras)):
            subprocess.run([BINARY, "export", model, "--to", form, "-o", file, "--quiet"], check=True,
                           stdout=subprocess.DEVNULL)
        folder = FOLDER / f"pixels-{size}"
        folder.mkdir(exist_ok=True)
        pixels = []
        for i, path in enumerate(predictions()[0][:IMAGES]):
            image = PIL.Image.fromarray(decoded(DATASET / path)).resize((size, size))
            image.save(folder / f"{i:02}.png")
            pixels.append(np.asarray(image))
        self.pixels = np.stack(pixels)
        lines = subprocess.run(
            [BINARY, "predict", model, folder, "--cache", FOLDER / "export-cache", "--format", "jsonl", "--top-k",
             str(len(CLASSES))], check=True, capture_output=True, text=True).stdout.splitlines()
        rows = [{p["class"]: p["probability"] for p in json.loads(line)["predictions"]} for line in lines]
        self.probabilities = np.array([[row[name] for name in CLASSES] for row in rows])


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = {
            "model": Exported("model", OUT / "model.h5", 224),
            "tuned": Exported("tuned", TUNED / "model.h5", 224),
            **{name: Exported(name, other_model(name), 96) for name in OTHER},
        }

    def check(self, run, only=None, tolerances={}):
        for name, exported in self.models.items():
            if only is not None and name not in only:
                continue
            with self.subTest(name):
                expected = exported.probabilities
                self.assertEqual(expected.shape, (IMAGES, len(CLASSES)))
                self.assertGreater(np.std(expected, axis=0).max(), 0.02, "rows alike would prove nothing")
                np.testing.assert_allclose(run(exported), expected, rtol=0, atol=tolerances.get(name, 1e-4))

    def test_the_file_is_sound_and_says_what_it_takes(self):
        for name, exported in self.models.items():
            with self.subTest(name):
                model = onnx.load(exported.onnx)
                onnx.checker.check_model(model, full_check=True)
                self.assertGreaterEqual(model.opset_import[0].version, 13)
                metadata = {entry.key: entry.value for entry in model.metadata_props}
                self.assertEqual(json.loads(metadata["class_names"]), CLASSES)
                self.assertEqual(metadata["exif"], "orientation applied")
                (pixels,), (probabilities,) = model.graph.input, model.graph.output
                self.assertEqual(pixels.type.tensor_type.elem_type, onnx.TensorProto.UINT8)
                shape = [d.dim_param or d.dim_value for d in pixels.type.tensor_type.shape.dim]
                self.assertEqual(shape, ["N", exported.size, exported.size, 3])
                shape = [d.dim_param or d.dim_value for d in probabilities.type.tensor_type.shape.dim]
                self.assertEqual(shape, ["N", len(CLASSES)])

    def test_onnx_runtime_computes_headstarts_probabilities(self):
        def run(exported):
            session = onnxruntime.InferenceSession(exported.onnx, providers=["CPUExecutionProvider"])
            return session.run(None, {"pixels": exported.pixels})[0]

        self.check(run)

    def test_onnx_runtime_computes_the_same_one_image_at_a_time(self):
        def run(exported):
            session = onnxruntime.InferenceSession(exported.onnx, providers=["CPUExecutionProvider"])
            return np.concatenate([session.run(None, {"pixels": image[None]})[0] for image in exported.pixels])

        self.check(run, only=["average"])

    def test_openvino_computes_headstarts_probabilities(self):
        def run(exported):
            core = openvino.Core()
            compiled = core.compile_model(exported.onnx, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            return compiled(exported.pixels)[0]

        # OpenVINO leaves out a conversion to float16 and back, which is what --storage float16 does to a row.
        self.check(run, tolerances={"maximum": 1e-3})

    def test_opencv_computes_headstarts_probabilities(self):
        def run(exported):
            network = cv2.dnn.readNetFromONNX(str(exported.onnx))
            rows = []
            for image in exported.pixels:
                network.setInput(np.ascontiguousarray(image[None]))
                rows.append(network.forward().copy())
            return np.concatenate(rows)

        self.check(run)

    def test_both_keras_compute_headstarts_probabilities_from_pixels(self):
        for library in (keras, tf_keras):
            def run(exported):
                model = library.models.load_model(exported.keras, compile=False)
                return model.predict(exported.pixels.astype(np.float32), batch_size=8, verbose=0)

            self.check(run, only=["model", "average"])


if __name__ == "__main__":
    unittest.main()
