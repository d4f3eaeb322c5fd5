#!/usr/bin/env python3
"""Computes features/engines/self_check_expected.cpp with Keras: what VGG16 gives for the self-check's synthetic image.

    python tests/features/engines/make_self_check.py | clang-format > features/engines/self_check_expected.cpp

Run it again only when self_check_image() in features/engines/self_check.cpp changes; both spell the same formula.
Needs keras with a backend (written with Keras 3.15.1 on TensorFlow 2.21).
"""
import pathlib

import keras
import numpy as np

SIZE = 224
SAMPLES = 32
ROOT = pathlib.Path(__file__).resolve().parents[2]


def self_check_image(size):
    """[size, size, 3] RGB: three quarters of a triangle wave that runs across, one quarter of hashed noise."""
    y, x, channel = np.meshgrid(*(np.arange(n, dtype=np.uint32) for n in (size, size, 3)), indexing="ij")
    phase = (2 * x + y + 85 * channel) % 512
    smooth = np.where(phase < 256, phase, 511 - phase)
    noise = ((y * size + x) * 3 + channel) * np.uint32(2654435761)
    noise ^= noise >> np.uint32(15)
    noise *= np.uint32(2246822519)
    noise ^= noise >> np.uint32(13)
    return ((3 * smooth + (noise & 255)) // 4).astype(np.float32)


def float_list(values):
    return ", ".join(f"{np.float32(v):.9g}F" if "." in f"{np.float32(v):.9g}" else f"{np.float32(v):.9g}.0F" for v in values)


def main():
    base = keras.applications.VGG16(
        weights=str(ROOT / "models/vgg16_imagenet_notop.h5"), include_top=False, input_shape=(SIZE, SIZE, 3))
    taps = [f"block{block}_pool" for block in range(1, 6)]
    network = keras.Model(base.input, [base.get_layer(tap).output for tap in taps])
    image = self_check_image(SIZE)
    assert image.min() <= 2 and image.max() >= 253
    batch = keras.applications.vgg16.preprocess_input(image[None].copy())
    print("// features/engines/self_check_expected.cpp: written by tests/features/engines/make_self_check.py"
          f" with Keras {keras.__version__}; not edited by hand.")
    print('#include "features/engines/self_check_expected.hpp"\n\nnamespace headstart {\n')
    print("const std::array<ExpectedActivations, 5> kSelfCheckExpected{{")
    for tap, output in zip(taps, network.predict(batch, verbose=0)):
        row = np.asarray(output)[0].reshape(-1)
        nonzero = np.flatnonzero(row)
        indices = nonzero[np.linspace(0, len(nonzero) - 1, SAMPLES).astype(int)]
        norm = np.linalg.norm(row.astype(np.float64))
        share = len(nonzero) / len(row)
        print(f"// {tap}: {len(row)} values, {share:.1%} of them not zero")
        print(f"{{{norm:.17g}, {share:.6f}, {{{', '.join(map(str, indices))}}}, {{{float_list(row[indices])}}}}},")
    print("}};\n\n}  // namespace headstart")


if __name__ == "__main__":
    main()
