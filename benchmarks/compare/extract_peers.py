"""benchmarks/compare/extract_peers.py: stage one as a Keras user writes it well: tf.data in front, VGG16 behind.

    python extract_peers.py keras THREADS       a worker; see worker.py

Files -> decode_jpeg -> resize -> preprocess -> batches of 32, prefetched -> the network as a traced graph, whose results
are kept. model.predict was level on the same data. Building the model is not timed.
"""

import sys

import h5py
import numpy as np

import worker
from compare import SAMPLES
from vgg16_peers import GOLDEN, WEIGHTS

BATCH = 32


class KerasExtraction:
    def __init__(self, threads):
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        self.files = sorted(str(path) for path in SAMPLES.rglob("*.jpg"))
        self.version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
        model = keras.applications.VGG16(weights=str(WEIGHTS), include_top=False, input_shape=(224, 224, 3))
        # The signature is fixed: otherwise the shorter last batch would be traced again.
        self.network = tf.function(lambda x: model(x, training=False),
                                   input_signature=[tf.TensorSpec((None, 224, 224, 3), tf.float32)])

        def load(path):
            image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
            image = tf.image.resize(tf.cast(image, tf.float32), (224, 224))
            return keras.applications.vgg16.preprocess_input(image)

        self.images = tf.data.Dataset.from_tensor_slices(self.files).map(load, num_parallel_calls=tf.data.AUTOTUNE) \
            .batch(BATCH).prefetch(tf.data.AUTOTUNE)

    def run(self):
        self.features = np.concatenate([self.network(batch).numpy() for batch in self.images])

    def prepare(self):
        self.run()
        with h5py.File(GOLDEN) as file:
            paths, expected = file["paths"].asstr()[()], file["block5_pool"][()]
        rows = [next(i for i, name in enumerate(self.files) if name.endswith(path)) for path in paths]
        features = self.features[rows].reshape(len(rows), -1)
        error = float(np.linalg.norm(features - expected) / np.linalg.norm(expected))
        if not error <= 1e-5:
            raise SystemExit(f"the result is wrong, not timed: relative L2 error {error:.1e}")
        return {"version": self.version, "error": error}


if __name__ == "__main__":
    worker.serve(KerasExtraction(int(sys.argv[2])))
