"""tests/interop/training_run.py: the training run that the interop tests share, as they see it.

make_training_run.py produces it; nothing here calls headstart or trusts its readers: files are read with Python's own
csv and json, images are decoded by TensorFlow.
"""

import csv
import functools
import json
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ["HEADSTART_BINARY"])
FOLDER = pathlib.Path(os.environ["HEADSTART_INTEROP_FOLDER"])

DATASET = FOLDER / "dataset"
CACHE = FOLDER / "cache"
OUT = FOLDER / "out"
TUNED = FOLDER / "tuned"  # OUT's model, fine-tuned from block5 on
VIEWS_DATASET = FOLDER / "views-dataset"  # two images, extracted with views into a cache of their own
VIEWS_CACHE = FOLDER / "views-cache"
VIEWS = 2
FLOAT16_CACHE = FOLDER / "float16-cache"  # the same images and views, stored as float16
WEIGHTS = ROOT / "models" / "vgg16_imagenet_notop.h5"

# Six classes, so that top-5 accuracy says something; half of the images validate, so that the metrics have rows.
CLASSES = ["beverages", "birds", "bugs", "flowers", "fruit", "roadsigns"]
IMAGES_PER_CLASS = 8
EPOCHS = 10
HIDDEN = 64
L2 = 1e-3
LEARNING_RATE = 1e-4


def read_csv(name, out=OUT):
    """The rows of out/name as dictionaries, at least one."""
    with open(out / name, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows, f"{name} has no rows"
    return rows


def read_json(name, out=OUT):
    return json.loads((out / name).read_text(encoding="utf-8"))


def confusion_matrix(split, classes):
    """The whole matrix of a split in metrics.json, [true class, prediction]."""
    matrix = np.zeros((classes, classes), int)
    matrix[split["confusion"]["label"], split["confusion"]["predicted"]] = split["confusion"]["images"]
    return matrix


@functools.cache
def predictions(out=OUT):
    """predictions.csv: (paths, labels [n], predicted [n], probabilities [n, classes]), classes as numbers."""
    rows = read_csv("predictions.csv", out)
    paths = [row["path"] for row in rows]
    labels = np.array([CLASSES.index(row["label"]) for row in rows])
    predicted = np.array([CLASSES.index(row["predicted"]) for row in rows])
    probabilities = np.array([[float(row[name]) for name in CLASSES] for row in rows])
    return paths, labels, predicted, probabilities


def preprocessed(paths):
    """What DESIGN's Keras script feeds the network: [n, 224, 224, 3] float32, decoded and resized by TensorFlow."""
    return preprocessed_images([decoded(DATASET / path) for path in paths])


def decoded(file):
    """A JPEG file's pixels, [height, width, 3]."""
    import tensorflow as tf

    return tf.io.decode_jpeg(tf.io.read_file(str(file)), channels=3, dct_method="INTEGER_ACCURATE").numpy()


def preprocessed_images(images):
    """The same from pixels."""
    import keras
    import tensorflow as tf

    resized = [tf.image.resize(tf.cast(image, tf.float32), (224, 224)).numpy() for image in images]
    return keras.applications.vgg16.preprocess_input(np.stack(resized))
