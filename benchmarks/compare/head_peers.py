"""benchmarks/compare/head_peers.py: one epoch of the script's head, 25088 -> 1024 -> 10 with L2, in Keras and PyTorch.

    python head_peers.py NAME ROWS THREADS      a worker; see worker.py

The rows are random with VGG16's share of zeros (a tenth is not zero): the peers' cost doesn't depend on the values, and
nothing needs to be extracted first.
"""

import functools
import sys

import numpy as np

import worker

FEATURES, HIDDEN, CLASSES, BATCH = 25088, 1024, 10, 32
LEARNING_RATE, MOMENTUM, L2 = 0.001, 0.9, 1e-4
WARM_UP_ROWS = 10 * BATCH
CHUNK_ROWS = 1000  # whose float64 normals, 200 MB, are all that is held beside the features


def training_rows(rows):
    """(features [rows, FEATURES] float32, labels [rows])."""
    random = np.random.default_rng(7)
    features = np.empty((rows, FEATURES), np.float32)
    for first in range(0, rows, CHUNK_ROWS):
        chunk = features[first:first + CHUNK_ROWS]
        chunk[:] = np.maximum(random.normal(-1.28, 1, chunk.shape), 0)
    return features, random.integers(0, CLASSES, rows)


class Keras:
    """model.fit on TensorFlow's graph; steps_per_execution and jit_compile changed nothing that matters.

    Few rows come from a cached tf.data pipeline. Many come in batches that NumPy gathers: on 960 rows that took 2.9 s an
    epoch as the pipeline did (2.8) and train_on_batch() (2.9), where fit() given the arrays took 3.2; and 20,000 rows,
    2 GB, are held once, where fit() and a pipeline that gathers from a tensor needed 7 and 9 GB.
    """

    def __init__(self, rows, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        features, labels = training_rows(rows)
        labels = np.eye(CLASSES, dtype=np.float32)[labels]

        class Batches(keras.utils.PyDataset):
            def __init__(self, rows):
                super().__init__()
                self.order = np.random.default_rng(7).permutation(rows)

            def __len__(self):
                return -(-len(self.order) // BATCH)

            def __getitem__(self, index):
                batch = self.order[index * BATCH:(index + 1) * BATCH]
                return features[batch], labels[batch]

        def pipeline(rows):
            return tf.data.Dataset.from_tensor_slices((features, labels)).cache().shuffle(rows).batch(BATCH).prefetch(2)

        self.data = Batches if rows > WARM_UP_ROWS else functools.cache(pipeline)
        penalty = keras.regularizers.L2(L2)
        self.model = keras.Sequential([
            keras.layers.Input((FEATURES,)),
            keras.layers.Dense(HIDDEN, activation="relu", kernel_regularizer=penalty),
            keras.layers.Dense(CLASSES, activation="softmax", kernel_regularizer=penalty)])
        self.model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE, MOMENTUM), loss="categorical_crossentropy",
                           metrics=["accuracy"])
        self.version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"

    def epoch(self, rows):
        return self.model.fit(self.data(rows), verbose=0).history["loss"][0]


class PyTorch:
    """Fused SGD; the penalty as weight decay on kernels alone (its gradient, 2 lambda w), which is the cheapest way."""

    def __init__(self, rows, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.manual_seed(7)
        features, labels = training_rows(rows)
        self.torch = torch
        self.features, self.labels = torch.from_numpy(features), torch.from_numpy(labels)
        self.model = torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES))
        kernels = [p for p in self.model.parameters() if p.ndim == 2]
        biases = [p for p in self.model.parameters() if p.ndim == 1]
        self.optimizer = torch.optim.SGD([{"params": kernels, "weight_decay": 2 * L2}, {"params": biases}],
                                         lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)
        self.version = f"PyTorch {torch.__version__}"

    def epoch(self, rows):
        torch, total = self.torch, 0.0
        for batch in torch.randperm(rows).split(BATCH):
            self.optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(self.model(self.features[batch]), self.labels[batch])
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(batch)
        return total / rows


if __name__ == "__main__":
    peers = {"keras": Keras, "pytorch": PyTorch}
    rows, threads = int(sys.argv[2]), int(sys.argv[3])
    worker.serve(worker.TrainingPeer(peers[sys.argv[1]](rows, threads), rows, WARM_UP_ROWS))
