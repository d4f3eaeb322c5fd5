"""benchmarks/compare/finetune_peers.py: one epoch of VGG16's block5 and the head, 25088 -> 1024 -> 10 with L2, in Keras and
PyTorch.

    python finetune_peers.py NAME ROWS THREADS      a worker; see worker.py

The maps that take block4_pool's place are random with its share of zeros (of samples/openclipart10, 16 % are not zero), as
are the first weights: the peers' cost doesn't depend on the values, and nothing needs to be extracted first.
"""

import sys

import numpy as np

import worker

SIDE, CHANNELS, HIDDEN, CLASSES, BATCH = 14, 512, 1024, 10, 32
CONVOLUTIONS = 3
FEATURES = (SIDE // 2) ** 2 * CHANNELS
LEARNING_RATE, MOMENTUM, L2 = 0.001, 0.9, 1e-4
WARM_UP_ROWS = 3 * BATCH


def training_rows(rows):
    """(maps [rows, SIDE, SIDE, CHANNELS] float32, labels [rows])."""
    random = np.random.default_rng(7)
    maps = random.standard_normal((rows, SIDE, SIDE, CHANNELS), np.float32)
    return np.maximum(maps - np.float32(0.99), 0), random.integers(0, CLASSES, rows)


class Keras:
    """model.fit on TensorFlow's graph with its oneDNN kernels, fed by a tf.data pipeline."""

    def __init__(self, rows, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        keras.utils.set_random_seed(7)
        self.maps, labels = training_rows(rows)
        self.labels = np.eye(CLASSES, dtype=np.float32)[labels]
        self.slices = tf.data.Dataset.from_tensor_slices
        penalty = keras.regularizers.L2(L2)
        self.model = keras.Sequential([
            keras.layers.Input((SIDE, SIDE, CHANNELS)),
            *[keras.layers.Conv2D(CHANNELS, 3, padding="same", activation="relu", kernel_regularizer=penalty)
              for _ in range(CONVOLUTIONS)],
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(HIDDEN, activation="relu", kernel_regularizer=penalty),
            keras.layers.Dense(CLASSES, activation="softmax", kernel_regularizer=penalty)])
        self.model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE, MOMENTUM), loss="categorical_crossentropy",
                           metrics=["accuracy"])
        self.version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"

    def epoch(self, rows):
        data = self.slices((self.maps[:rows], self.labels[:rows])).shuffle(rows).batch(BATCH).prefetch(2)
        return self.model.fit(data, verbose=0).history["loss"][0]


class PyTorch:
    """Channels-last memory format, oneDNN below. Fused SGD; the penalty as weight decay on kernels alone (its gradient,
    2 lambda w), which is the cheapest way."""

    def __init__(self, rows, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.manual_seed(7)
        maps, labels = training_rows(rows)
        self.torch = torch
        self.maps, self.labels = torch.from_numpy(maps), torch.from_numpy(labels)
        layers = []
        for _ in range(CONVOLUTIONS):
            layers += [torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), torch.nn.ReLU()]
        layers += [torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(),
                   torch.nn.Linear(HIDDEN, CLASSES)]
        self.model = torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)
        kernels = [p for p in self.model.parameters() if p.ndim > 1]
        biases = [p for p in self.model.parameters() if p.ndim == 1]
        for kernel in kernels:  # as Keras draws them: PyTorch's own are so small that six steps hardly move the loss
            torch.nn.init.xavier_uniform_(kernel)
        for bias in biases:
            torch.nn.init.zeros_(bias)
        self.optimizer = torch.optim.SGD([{"params": kernels, "weight_decay": 2 * L2}, {"params": biases}],
                                         lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)
        self.version = f"PyTorch {torch.__version__}"

    def epoch(self, rows):
        torch, total = self.torch, 0.0
        for batch in torch.randperm(rows).split(BATCH):
            self.optimizer.zero_grad(set_to_none=True)
            maps = self.maps[batch].permute(0, 3, 1, 2)  # a view, channels last in memory
            loss = torch.nn.functional.cross_entropy(self.model(maps), self.labels[batch])
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(batch)
        return total / rows


if __name__ == "__main__":
    peers = {"keras": Keras, "pytorch": PyTorch}
    rows, threads = int(sys.argv[2]), int(sys.argv[3])
    # 0.99: L2 alone could make the loss fall by less.
    worker.serve(worker.TrainingPeer(peers[sys.argv[1]](rows, threads), rows, WARM_UP_ROWS, 0.99))
