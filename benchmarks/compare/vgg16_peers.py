"""benchmarks/compare/vgg16_peers.py: VGG16's convolutions as each peer runs them best on a CPU, one class a peer.

    python vgg16_peers.py NAME THREADS      a worker; see worker.py for what it reads and writes

All take the same preprocessed float32 images and give block5_pool. Layout changes are done before the clock starts:
a peer that wants channels first gets them so. Settings that lost are named beside the ones that won.
"""

import sys

import h5py
import numpy as np

import worker
from compare import ROOT

WEIGHTS = ROOT / "models" / "vgg16_imagenet_notop.h5"
GOLDEN = ROOT / "tests" / "golden" / "features.h5"
CAFFE_MEAN_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)
BLOCKS = [2, 2, 3, 3, 3]


def golden_batch(batch):
    """(preprocessed images [batch, 224, 224, 3], block5_pool [batch, 25088]); the six golden images in turn."""
    with h5py.File(GOLDEN) as file:
        rows = np.arange(batch) % len(file["block5_pool"])
        return file["resized_rgb"][()][rows][..., ::-1] - CAFFE_MEAN_BGR, file["block5_pool"][()][rows]


def convolutions():
    """(name, kernel [3, 3, in, out], bias [out]) in order."""
    with h5py.File(WEIGHTS) as file:
        group = file["model_weights"] if "model_weights" in file else file
        for block, count in enumerate(BLOCKS, start=1):
            for i in range(1, count + 1):
                layer = group[f"block{block}_conv{i}"]
                kernel, bias = (layer[name][()] for name in layer.attrs["weight_names"])
                yield f"block{block}_conv{i}", kernel, bias


def channels_first(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


class Keras:
    """Keras on TensorFlow with its oneDNN kernels, as one traced graph. XLA (jit_compile) lost."""

    def __init__(self, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        model = self.model(keras)
        self.run_graph = tf.function(lambda x: model(x, training=False))
        self.tensor = tf.constant
        self.version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"

    @staticmethod
    def model(keras):
        return keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))

    def load(self, images):
        self.images = self.tensor(images)

    def run(self):
        return self.run_graph(self.images).numpy()


class KerasVgg19(Keras):
    """VGG19 in the same way, with random weights, so that there is nothing to compare its result with."""

    @staticmethod
    def model(keras):
        return keras.applications.VGG19(weights=None, include_top=False, input_shape=(224, 224, 3))


class PyTorch:
    """PyTorch in channels-last memory format, traced and frozen, oneDNN below. Eager mode and torch.compile with freezing
    were level, optimize_for_inference slower."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        layers, weights = [], convolutions()
        for count in BLOCKS:
            for _ in range(count):
                _, kernel, bias = next(weights)
                layer = torch.nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
                layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
                layer.bias.data = torch.from_numpy(bias)
                layers += [layer, torch.nn.ReLU(inplace=True)]
            layers.append(torch.nn.MaxPool2d(2))
        self.torch = torch
        self.model = torch.nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)
        self.version = f"PyTorch {torch.__version__}"

    def load(self, images):
        torch = self.torch
        self.images = torch.from_numpy(channels_first(images)).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            self.frozen = torch.jit.freeze(torch.jit.trace(self.model, self.images))

    def run(self):
        with self.torch.inference_mode():
            return self.frozen(self.images).permute(0, 2, 3, 1).numpy()


def onnx_model():
    """The network as ONNX bytes: Conv and Relu and MaxPool, batch left open."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, initializers, current, weights = [], [], "images", convolutions()
    for block, count in enumerate(BLOCKS, start=1):
        for _ in range(count):
            name, kernel, bias = next(weights)
            initializers += [
                numpy_helper.from_array(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), name + "_kernel"),
                numpy_helper.from_array(bias, name + "_bias")]
            nodes += [
                helper.make_node("Conv", [current, name + "_kernel", name + "_bias"], [name], kernel_shape=[3, 3],
                                 pads=[1, 1, 1, 1]),
                helper.make_node("Relu", [name], [name + "_relu"])]
            current = name + "_relu"
        nodes.append(helper.make_node("MaxPool", [current], [f"block{block}_pool"], kernel_shape=[2, 2], strides=[2, 2]))
        current = f"block{block}_pool"
    graph = helper.make_graph(
        nodes, "vgg16", [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info(current, TensorProto.FLOAT, ["batch", 512, 7, 7])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class OnnxRuntime:
    """ONNX Runtime with all graph optimisations (NCHWc kernels)."""

    def __init__(self, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(onnx_model(), options, providers=["CPUExecutionProvider"])
        self.version = f"ONNX Runtime {onnxruntime.__version__}"

    def load(self, images):
        self.images = channels_first(images)

    def run(self):
        return self.session.run(None, {"images": self.images})[0].transpose(0, 2, 3, 1)


class OpenVino:
    """OpenVINO on one stream with both threads in it, float32 (it would choose bfloat16 where the CPU has it)."""

    def __init__(self, threads):
        import openvino

        self.core = openvino.Core()
        self.model = self.core.read_model(onnx_model())
        self.settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                         "INFERENCE_PRECISION_HINT": "f32"}
        self.version = f"OpenVINO {openvino.__version__.split('-')[0]}"

    def load(self, images):
        self.images = channels_first(images)
        self.model.reshape(self.images.shape)
        self.request = self.core.compile_model(self.model, "CPU", self.settings).create_infer_request()

    def run(self):
        self.request.infer([self.images], share_inputs=True)
        return self.request.get_output_tensor().data.transpose(0, 2, 3, 1)


class OpenCv:
    """OpenCV's DNN module with the engine it chooses. On x64 enableWinograd changes nothing; forcing the new engine lost."""

    def __init__(self, threads):
        import cv2

        cv2.setNumThreads(threads)
        self.net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_model(), dtype=np.uint8))
        self.version = f"OpenCV {cv2.__version__}"

    def load(self, images):
        self.images = channels_first(images)

    def run(self):
        self.net.setInput(self.images)
        return self.net.forward().transpose(0, 2, 3, 1)


PEERS = {"keras": Keras, "keras-vgg19": KerasVgg19, "pytorch": PyTorch, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "opencv5": OpenCv}


class ForwardWorker:
    """Answers {"batch": n}: loads a golden batch, proves the result, then times single runs on request."""

    def __init__(self, name, threads):
        self.peer = PEERS[name](threads)

    def prepare(self, batch):
        images, expected = golden_batch(batch)
        self.peer.load(images)
        features = np.array(self.peer.run()).reshape(batch, -1)  # the first run also warms up
        if isinstance(self.peer, KerasVgg19):
            return {"version": self.peer.version, "error": None}
        error = float(np.linalg.norm(features - expected) / np.linalg.norm(expected))
        if not error <= 1e-5:
            raise SystemExit(f"the result is wrong, not timed: relative L2 error {error:.1e}")
        return {"version": self.peer.version, "error": error}

    def run(self):
        self.peer.run()


if __name__ == "__main__":
    worker.serve(ForwardWorker(sys.argv[1], int(sys.argv[2])))
