"""tests/interop/make_training_run.py: a small data set from the samples, and headstart trained on it from scratch."""

import shutil
import subprocess

from training_run import (BINARY, CACHE, CLASSES, DATASET, EPOCHS, FLOAT16_CACHE, FOLDER, HIDDEN, IMAGES_PER_CLASS, L2,
                          LEARNING_RATE, OUT, ROOT, TUNED, VIEWS, VIEWS_CACHE, VIEWS_DATASET)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in CLASSES:
        (DATASET / name).mkdir(parents=True)
        for image in sorted((ROOT / "samples" / "openclipart10" / name).glob("*.jpg"))[:IMAGES_PER_CLASS]:
            shutil.copy(image, DATASET / name)
    subprocess.run(
        [BINARY, "train", DATASET, "-o", OUT, "--cache", CACHE, "--validation", "0.5", "--hidden", str(HIDDEN),
         "--epochs", str(EPOCHS), "--learning-rate", str(LEARNING_RATE), "--l2", str(L2), "--seed", "7"],
        check=True)
    subprocess.run(
        [BINARY, "finetune", DATASET, "-o", TUNED, "--from", OUT / "model.h5", "--cache", CACHE, "--epochs", "2",
         "--batch", "8", "--learning-rate", "1e-5"],
        check=True)
    (VIEWS_DATASET / "birds").mkdir(parents=True)
    for image in sorted((DATASET / "birds").iterdir())[:2]:
        shutil.copy(image, VIEWS_DATASET / "birds")
    for cache, storage in ((VIEWS_CACHE, "float32"), (FLOAT16_CACHE, "float16")):
        subprocess.run([BINARY, "extract", VIEWS_DATASET, "--cache", cache, "--views", str(VIEWS), "--storage", storage],
                       check=True)


if __name__ == "__main__":
    main()
