#!/usr/bin/env python3
"""Makes images/resample/: what torchvision, timm and PyTorch make of images/resize/picture.ppm, and which square they
cut out of images of many sizes. Needs torch, torchvision, timm and pillow; its output is committed, so tests do not.
Made with torch 2.15.0, torchvision 0.29.2, timm 1.0.31, pillow 13.0.0.
"""

import csv
import itertools
import math
import pathlib

import numpy as np
import torch
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision.transforms import functional

IMAGES = pathlib.Path(__file__).parent / "images"
OUT = IMAGES / "resample"
PICTURE = Image.open(IMAGES / "resize" / "picture.ppm")

SIZES = (5, 40)  # of the result: one reduces the picture, one enlarges it
SHARES = {"crop": 0.875, "shorter-side": 1.0}
SIDES = (1, 3, 7, 224, 225, 257, 500, 641, 1199, 65535)
SQUARES = ((224, 0.875), (224, 1.0), (224, 0.9), (224, 0.95), (299, 0.875), (331, 0.911), (7, 0.3), (1, 1.0), (512, 0.01))


def square_of(height, width, size, share):
    """Height and width that torchvision's Resize gives, top and left that its CenterCrop takes."""
    scaled_height, scaled_width = functional._compute_resized_output_size((height, width), [math.floor(size / share)])
    scaled = torch.empty((1, scaled_height, scaled_width), device="meta")  # an image that takes no memory
    top, left = divmod(functional.center_crop(scaled, [size, size]).storage_offset(), scaled_width)
    return scaled_height, scaled_width, top, left


def squares():
    with open(OUT / "squares.csv", "w", newline="", encoding="ascii") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow("height width size crop_share scaled_height scaled_width top left".split())
        for (size, share), height, width in itertools.product(SQUARES, SIDES, SIDES):
            table.writerow([height, width, size, share, *square_of(height, width, size, share)])


def ppm(name, pixels):
    (OUT / name).write_bytes(b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())


def antialiased():
    """timm's own pipeline, up to the bytes."""
    for size, fit, method in itertools.product(SIZES, ("stretch", *SHARES), ("nearest", "bilinear", "bicubic")):
        options = {"crop_mode": "squash", "crop_pct": 1.0} if fit == "stretch" else {"crop_pct": SHARES[fit]}
        transform = transforms_imagenet_eval(size, interpolation=method, normalize=False, **options)
        ppm(f"{fit}_{method}_{size}.ppm", transform(PICTURE).numpy().transpose(1, 2, 0))


def tall():
    """Rows and columns exchanged, which Pillow 13 resizes along y first."""
    for method in ("bilinear", "bicubic"):
        scaled = PICTURE.transpose(Image.Transpose.TRANSPOSE).resize((10, 10), getattr(Image.Resampling, method.upper()))
        ppm(f"tall_{method}_10.ppm", np.asarray(scaled))


def plain():
    """interpolate() without antialias, of float pixels."""
    pixels = torch.from_numpy(np.asarray(PICTURE).astype(np.float32)).permute(2, 0, 1)[None]
    for size, fit, method in itertools.product(SIZES, ("stretch", "crop"), ("bilinear", "bicubic")):
        shape = (size, size)
        if fit == "crop":
            shape = tuple(functional._compute_resized_output_size(pixels.shape[2:], [math.floor(size / SHARES[fit])]))
        scaled = torch.nn.functional.interpolate(pixels, shape, mode=method, align_corners=False, antialias=False)
        square = functional.center_crop(scaled, [size, size])[0].permute(1, 2, 0)
        (OUT / f"{fit}_{method}_{size}.f32").write_bytes(square.numpy().astype("<f4").tobytes())


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    squares()
    antialiased()
    tall()
    plain()
