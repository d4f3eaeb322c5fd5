#!/usr/bin/env python3
"""benchmarks/make_features_file.py HEADSTART FILE ROWS COLUMNS [CLASSES] [float16]: a features file of made-up rows.

FILE is NAME.h5 or NAME.npy; COLUMNS are 64, 128, 256 or 512, as pooled maps of VGG16 have them. The attributes are those
that HEADSTART, the program, exports for one sample image. Of the values 94 % are not zero, as of pooled activations, and a
class shifts them, so that a head can learn. Needs h5py: $(scripts/python-env tests/interop) is such a Python.
What it is for: benchmarks/README.md.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
TAPS = {64: "block1_pool", 128: "block2_pool", 256: "block3_pool", 512: "block5_pool"}
ROWS_AT_ONCE = 10_000


def exported_attributes(headstart, columns):
    """The attributes of a features.h5 with so many columns."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "images" / "birds").mkdir(parents=True)
        shutil.copy(next((ROOT / "samples" / "openclipart10" / "birds").iterdir()), folder / "images" / "birds")
        subprocess.run([headstart, "cache", "export", folder / "images", "-o", folder / "f.h5", "--cache", folder / "cache",
                        "--tap", TAPS[columns], "--pooling", "avg", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        with h5py.File(folder / "f.h5") as file:
            return dict(file.attrs)


def parts_of(rows, columns, labels, dtype):
    """The rows, some at a time."""
    random = np.random.default_rng(0)
    for first in range(0, rows, ROWS_AT_ONCE):
        label = labels[first:first + ROWS_AT_ONCE]
        values = random.random((len(label), columns), dtype=np.float32)
        values[random.random(values.shape, dtype=np.float32) < 0.06] = 0
        values[np.arange(len(label)), label % columns] += 1
        yield first, values.astype(dtype)


def write_hdf5(name, attributes, class_names, labels, paths, keys, columns, dtype):
    with h5py.File(name, "w") as file:
        for key, value in attributes.items():
            file.attrs[key] = value
        file["labels"] = labels
        file["class_names"] = class_names
        file["paths"] = paths
        file["split"] = [""] * len(labels)
        file["group"] = [""] * len(labels)
        file["sha256"] = keys
        features = file.create_dataset("features", (len(labels), columns), dtype)
        for first, values in parts_of(len(labels), columns, labels, dtype):
            features[first:first + len(values)] = values


def write_npy(name, attributes, class_names, labels, paths, keys, columns, dtype):
    features = np.lib.format.open_memmap(name, "w+", dtype, (len(labels), columns))
    for first, values in parts_of(len(labels), columns, labels, dtype):
        features[first:first + len(values)] = values
    features.flush()
    facts = {key: value if isinstance(value, str) else np.asarray(value).tolist() for key, value in attributes.items()}
    facts["extractor"] = json.loads(facts["extractor"])
    facts["class_names"] = class_names
    name.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    with open(name.parent / "labels.csv", "w", encoding="utf-8") as file:
        file.write("path,label,split,group,sha256\n")
        for path, label, key in zip(paths, labels, keys):
            file.write(f"{path},{class_names[label]},,,{bytes(key).hex()}\n")


def main():
    words = [word for word in sys.argv[1:] if word != "float16"]
    if len(words) not in (4, 5):
        sys.exit(__doc__)
    name, rows, columns = pathlib.Path(words[1]), int(words[2]), int(words[3])
    classes = int(words[4]) if len(words) == 5 else 10
    dtype = np.dtype("<f2" if "float16" in sys.argv else "<f4")
    labels = (np.arange(rows) % classes).astype(np.int32)
    class_names = sorted(f"class {label:05}" for label in range(classes))
    paths = [f"class {row % classes:05}/image {row:07}.jpg" for row in range(rows)]
    keys = np.frombuffer(b"".join(hashlib.sha256(path.encode()).digest() for path in paths), np.uint8).reshape(rows, 32)
    write = write_npy if name.suffix == ".npy" else write_hdf5
    write(name, exported_attributes(words[0], columns), class_names, labels, paths, keys, columns, dtype)


if __name__ == "__main__":
    main()
