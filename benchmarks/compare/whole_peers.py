"""benchmarks/compare/whole_peers.py: what people run without headstart, each a whole program from a folder of images to a
saved classifier.

    python whole_peers.py NAME THREADS              says which libraries it would use, and loads them
    python whole_peers.py NAME THREADS OUT          trains, writes OUT/model.h5 (PyTorch: model.pt) and prints one line of JSON:
                                                    where it was when (CLOCK_MONOTONIC), images, validation accuracy

VGG16 without its top, then Flatten -> Dense(1024, relu) -> Dense(10, softmax): SGD 0.001, momentum 0.9, L2 1e-4 on the
kernels, batch 32, a fifth of the images held out and looked at after every epoch. The saved model takes images.
"""

import json
import pathlib
import statistics
import sys
import time

import worker
from compare import SAMPLES

SIDE, HIDDEN, CLASSES, BATCH, EPOCHS, VALIDATION = 224, 1024, 10, 32, 10, 0.2
LEARNING_RATE, MOMENTUM, L2 = 0.001, 0.9, 1e-4
SEED = 7


class Keras:
    """What the two Keras programs share."""

    def __init__(self, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(SEED)
        self.keras, self.tf = keras, tf
        self.version = f"Keras {keras.__version__}"

    def images(self):
        """Batches of training and of validation images, preprocessed, with one-hot labels."""
        parts = self.keras.utils.image_dataset_from_directory(
            SAMPLES, label_mode="categorical", image_size=(SIDE, SIDE), batch_size=BATCH, validation_split=VALIDATION,
            subset="both", seed=SEED, verbose=False)
        self.counts = {name: len(part.file_paths) for name, part in zip(("training", "validation"), parts)}
        preprocess = self.keras.applications.vgg16.preprocess_input
        return [part.map(lambda images, labels: (preprocess(images), labels), num_parallel_calls=self.tf.data.AUTOTUNE)
                .prefetch(self.tf.data.AUTOTUNE) for part in parts]

    def base(self):
        from vgg16_peers import WEIGHTS

        base = self.keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(SIDE, SIDE, 3))
        base.trainable = False
        return base

    def head(self):
        layers, penalty = self.keras.layers, self.keras.regularizers.L2(L2)
        return self.keras.Sequential([
            layers.Flatten(),
            layers.Dense(HIDDEN, activation="relu", kernel_regularizer=penalty),
            layers.Dense(CLASSES, activation="softmax", kernel_regularizer=penalty)])

    def compile(self, model):
        model.compile(optimizer=self.keras.optimizers.SGD(LEARNING_RATE, MOMENTUM), loss="categorical_crossentropy",
                      metrics=["accuracy"])
        return model


class KerasOnce(Keras):
    """The frozen base sees every image once; the head is trained on what it gave, from a cached pipeline.

    predict_on_batch() over prefetched batches: it gives features and labels in one order from one pass over the files.
    """

    def train(self, out, marks):
        import numpy as np

        parts, base = self.images(), self.base()
        rows = [[np.concatenate(columns) for columns in zip(*(
            (base.predict_on_batch(images), labels) for images, labels in part))] for part in parts]
        marks["features"] = time.monotonic()
        training, validation = [self.tf.data.Dataset.from_tensor_slices(tuple(part)).cache() for part in rows]
        head = self.compile(self.head())
        history = head.fit(training.shuffle(len(training)).batch(BATCH).prefetch(2), epochs=EPOCHS, verbose=0,
                           validation_data=validation.batch(BATCH).prefetch(2)).history
        marks["trained"] = time.monotonic()
        self.keras.Sequential([base, head]).save(out / "model.h5")
        return {**self.counts, "accuracy": history["val_accuracy"][-1]}


class KerasScript(Keras):
    """The script of docs/design.md: the frozen base is part of the model and run in every epoch. One epoch of the ten.

    The first batch also traces the model, which ten epochs do once: `epoch` is without that.
    """

    def train(self, out, marks):
        training, validation = self.images()
        model = self.compile(self.keras.Sequential([self.base(), self.head()]))
        batches = [marks.setdefault("features", time.monotonic())]
        history = model.fit(training, validation_data=validation, epochs=1, verbose=0, callbacks=[
            self.keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: batches.append(time.monotonic()))]).history
        marks["trained"] = time.monotonic()
        model.save(out / "model.h5")
        seconds = [end - start for start, end in zip(batches, batches[1:])]
        tracing = max(0.0, seconds[0] - statistics.median(seconds[1:]))
        return {**self.counts, "accuracy": history["val_accuracy"][-1],
                "epoch": marks["trained"] - marks["features"] - tracing}


class PyTorchOnce:
    """As KerasOnce. OpenCV decodes, in a process of its own, as torchvision's loaders do."""

    def __init__(self, threads):
        import cv2
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(SEED)
        self.cv2, self.torch, self.threads = cv2, torch, threads
        self.version = f"PyTorch {torch.__version__.split('+')[0]}"

    def images(self):
        """Batches of training and of validation images, preprocessed, with labels."""
        cv2, torch = self.cv2, self.torch
        from vgg16_peers import CAFFE_MEAN_BGR

        files = sorted(SAMPLES.rglob("*.jpg"))
        classes = sorted({path.parent.name for path in files})
        order = torch.randperm(len(files)).tolist()

        class Images(torch.utils.data.Dataset):
            def __init__(self, rows):
                self.files = [files[row] for row in rows]

            def __len__(self):
                return len(self.files)

            def __getitem__(self, row):
                image = cv2.resize(cv2.imread(str(self.files[row])), (SIDE, SIDE)).astype("float32") - CAFFE_MEAN_BGR
                return torch.from_numpy(image).permute(2, 0, 1), classes.index(self.files[row].parent.name)

        held_out = int(VALIDATION * len(files))
        return [torch.utils.data.DataLoader(Images(rows), BATCH, num_workers=1)
                for rows in (order[held_out:], order[:held_out])]

    def head(self, features):
        nn = self.torch.nn
        head = nn.Sequential(nn.Flatten(), nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
        kernels = [p for p in head.parameters() if p.ndim > 1]
        biases = [p for p in head.parameters() if p.ndim == 1]
        for kernel in kernels:  # as Keras draws them
            nn.init.xavier_uniform_(kernel)
        for bias in biases:
            nn.init.zeros_(bias)
        return head, self.torch.optim.SGD([{"params": kernels, "weight_decay": 2 * L2}, {"params": biases}],
                                          lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)

    def train(self, out, marks):
        torch = self.torch
        from vgg16_peers import PyTorch

        parts, base = self.images(), PyTorch(self.threads).model
        with torch.inference_mode():
            rows = [[torch.cat(columns) for columns in zip(*(
                (base(images.to(memory_format=torch.channels_last)).contiguous(), labels) for images, labels in part))]
                for part in parts]
        (features, labels), (held_out, held_out_labels) = [[column.clone() for column in part] for part in rows]
        marks["features"] = time.monotonic()
        head, optimizer = self.head(features[0].numel())
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(labels)).split(BATCH):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(head(features[batch]), labels[batch]).backward()
                optimizer.step()
            with torch.inference_mode():
                accuracy = (head(held_out).argmax(1) == held_out_labels).float().mean().item()
        marks["trained"] = time.monotonic()
        torch.save(torch.nn.Sequential(base, head).state_dict(), out / "model.pt")
        return {"training": len(labels), "validation": len(held_out_labels), "accuracy": accuracy}


PEERS = {"keras-once": KerasOnce, "keras-script": KerasScript, "pytorch-once": PyTorchOnce}

if __name__ == "__main__":
    answers = worker.answers()
    peer = PEERS[sys.argv[1]](int(sys.argv[2]))
    marks = {"imported": time.monotonic()}
    result = {"version": peer.version}
    if len(sys.argv) > 3:
        result |= peer.train(pathlib.Path(sys.argv[3]), marks)
    print(json.dumps({**result, "marks": marks}), file=answers, flush=True)
