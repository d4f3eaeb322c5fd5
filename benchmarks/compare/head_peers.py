"""benchmarks/compare/head_peers.py: one epoch of the script's head, 25088 -> 1024 -> 10 with L2, in Keras and PyTorch.

    python head_peers.py NAME THREADS       a worker; see worker.py

The rows are random with VGG16's share of zeros (a tenth is not zero): the peers' cost doesn't depend on the values, and
nothing needs to be extracted first.
"""

import sys

import numpy as np

import worker

ROWS, FEATURES, HIDDEN, CLASSES, BATCH = 314, 25088, 1024, 10, 32
LEARNING_RATE, MOMENTUM, L2 = 0.001, 0.9, 1e-4


def training_rows():
    """(features [ROWS, FEATURES] float32, labels [ROWS])."""
    random = np.random.default_rng(7)
    features = np.maximum(random.normal(-1.28, 1, (ROWS, FEATURES)), 0).astype(np.float32)
    return features, random.integers(0, CLASSES, ROWS)


class Keras:
    """model.fit on TensorFlow's graph; steps_per_execution and jit_compile changed nothing that matters."""

    def __init__(self, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        features, labels = training_rows()
        self.data = tf.data.Dataset.from_tensor_slices((features, np.eye(CLASSES, dtype=np.float32)[labels])) \
            .cache().shuffle(ROWS).batch(BATCH).prefetch(2)
        penalty = keras.regularizers.L2(L2)
        self.model = keras.Sequential([
            keras.layers.Input((FEATURES,)),
            keras.layers.Dense(HIDDEN, activation="relu", kernel_regularizer=penalty),
            keras.layers.Dense(CLASSES, activation="softmax", kernel_regularizer=penalty)])
        self.model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE, MOMENTUM), loss="categorical_crossentropy",
                           metrics=["accuracy"])
        self.version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"

    def epoch(self):
        return self.model.fit(self.data, verbose=0).history["loss"][0]


class PyTorch:
    """Fused SGD; the penalty as weight decay on kernels alone (its gradient, 2 lambda w), which is the cheapest way."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.manual_seed(7)
        features, labels = training_rows()
        self.torch = torch
        self.features, self.labels = torch.from_numpy(features), torch.from_numpy(labels)
        self.model = torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES))
        kernels = [p for p in self.model.parameters() if p.ndim == 2]
        biases = [p for p in self.model.parameters() if p.ndim == 1]
        self.optimizer = torch.optim.SGD([{"params": kernels, "weight_decay": 2 * L2}, {"params": biases}],
                                         lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)
        self.version = f"PyTorch {torch.__version__}"

    def epoch(self):
        torch, total = self.torch, 0.0
        for rows in torch.randperm(ROWS).split(BATCH):
            self.optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(self.model(self.features[rows]), self.labels[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(rows)
        return total / ROWS


class HeadWorker:
    """prepare() trains two epochs, which also warms up, and checks that the loss falls."""

    def __init__(self, name, threads):
        self.peer = {"keras": Keras, "pytorch": PyTorch}[name](threads)

    def prepare(self):
        losses = [self.peer.epoch() for _ in range(2)]
        if not np.isfinite(losses).all() or losses[1] >= losses[0]:
            raise SystemExit(f"training does not train, not timed: losses {losses}")
        return {"version": self.peer.version}

    def run(self):
        self.peer.epoch()


if __name__ == "__main__":
    worker.serve(HeadWorker(sys.argv[1], int(sys.argv[2])))
