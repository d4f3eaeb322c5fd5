"""tests/interop/graph_test.py: the shapes that `headstart info --network FILE.onnx --taps` gives are those that the onnx
package infers, on the graphs of well-known networks that it ships without weights."""

import pathlib
import re
import subprocess
import unittest

import onnx
import onnx.backend.test

from training_run import BINARY

MODELS = sorted((pathlib.Path(onnx.backend.test.__file__).parent / "data" / "light").glob("light_*.onnx"))
AS_STORED = {2: lambda n, c: (1, 1, c), 3: lambda n, t, c: (t, 1, c), 4: lambda n, c, h, w: (h, w, c)}
# What enters the classifier, read off the drawn graph. light_densenet121 classifies by a convolution and a scale.
DEFAULTS = {
    "light_bvlc_alexnet": (1, 1, 4096),
    "light_densenet121": (1, 1, 1000),
    "light_inception_v1": (6, 6, 1024),  # its file pools without padding
    "light_inception_v2": (7, 7, 1024),
    "light_resnet50": (7, 7, 2048),
    "light_shufflenet": (7, 7, 544),
    "light_squeezenet": (13, 13, 1000),
    "light_vgg19": (1, 1, 4096),
    "light_zfnet512": (1, 1, 1024),
}


def taps(file):
    """The shapes that headstart gives, by name; the name of the default; the input size."""
    command = [BINARY, "info", "--network", file, "--taps"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^  (\S+) +(\d+) x (\d+) x (\d+) .*?(the default)?$", text, re.MULTILINE)
    found = {name: tuple(map(int, shape)) for name, *shape, _ in lines}
    (default,) = [line[0] for line in lines if line[-1]]
    return found, default, int(re.search(r"\[N, 3, (\d+)", text)[1])


def inferred(file, size):
    """The shapes of all values of rank two to four and a batch of one, as headstart stores them."""
    model = onnx.load(file)
    constants = {tensor.name for tensor in model.graph.initializer}
    (image,) = [value for value in model.graph.input if value.name not in constants]
    for dimension, extent in zip(image.type.tensor_type.shape.dim, (1, 3, size, size), strict=True):
        dimension.dim_value = extent
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True, strict_mode=True).graph
    shapes = {}
    for value in [*graph.value_info, *graph.output]:
        extents = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        if len(extents) in AS_STORED and extents[0] == 1 and all(extents):
            shapes[value.name] = AS_STORED[len(extents)](*extents)
    return shapes


class Graphs(unittest.TestCase):
    def test_shapes_are_those_of_the_onnx_package(self):
        self.assertEqual([file.stem for file in MODELS], sorted(DEFAULTS))
        for file in MODELS:
            with self.subTest(file.stem):
                ours, default, size = taps(file)
                theirs = inferred(file, size)
                both = ours.keys() & theirs.keys()
                self.assertGreater(len(both), 0.9 * len(ours))
                self.assertEqual({name: ours[name] for name in both}, {name: theirs[name] for name in both})
                self.assertEqual(ours[default], DEFAULTS[file.stem])


if __name__ == "__main__":
    unittest.main()
