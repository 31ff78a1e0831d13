#!/usr/bin/env python
"""Prints image grids, or images with their size, as Mistral's own library and Pillow see them.

usage:  python image_grid.py grids [--count N] [--seed S]  > tests/goldens/image/grids.tsv
        python image_grid.py files                         > tests/goldens/image/files.tsv

grids   patch, largest size, merge, width, height -> columns, rows.  To compare more than the golden file holds:
            python image_grid.py grids --count 60000 --seed 7 > /tmp/grids.tsv
            IMAGE_GRIDS=/tmp/grids.tsv cargo test --test it image::
files   kind, width, height, data URL cut off after the first bytes

Made with mistral_common[image]==1.13.1 on Python 3.11.
"""
import argparse
import base64
import io
import random
from types import SimpleNamespace

from mistral_common.tokens.tokenizers.image import ImageConfig, ImageEncoder, SpecialImageIDs

CONFIGS = [(16, 1024, 1), (14, 1540, 2), (14, 1540, 1), (16, 1540, 2), (28, 1024, 1)]
KEPT = 480


def side(rng, largest):
    """A side length: near the limits where grids change, or anything up to the largest there is."""
    return max(
        1,
        rng.choice(
            [
                lambda: rng.randint(1, 64),
                lambda: rng.randint(1, 4096),
                lambda: largest * rng.randint(1, 5) + rng.randint(-2, 2),
                lambda: largest * rng.randint(1, 9) // 2 + rng.randint(-1, 1),
                lambda: int(2 ** rng.uniform(0, 32)) - 1,
            ]
        )(),
    )


def grids(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        if rng.random() < 0.6:
            patch, largest, merge = rng.choice(CONFIGS)
        else:
            patch, largest, merge = rng.randint(1, 64), rng.randint(1, 4096), rng.randint(1, 4)
        width, height = side(rng, largest), side(rng, largest)
        encoder = ImageEncoder(ImageConfig(patch, largest, merge), SpecialImageIDs(1, 2, 3))
        columns, rows = encoder._image_to_num_tokens(SimpleNamespace(size=(width, height)))
        print(patch, largest, merge, width, height, columns, rows, sep="\t")


def files():
    from PIL import Image

    kinds = [
        ("png", "RGB", dict(format="PNG")),
        ("png-gray", "L", dict(format="PNG")),
        ("jpeg", "RGB", dict(format="JPEG", quality=5)),
        ("jpeg-progressive", "RGB", dict(format="JPEG", quality=5, progressive=True)),
        ("jpeg-comment", "RGB", dict(format="JPEG", quality=5, comment=b"\xff\xc0 is no marker here")),
        ("gif", "P", dict(format="GIF")),
        ("webp", "RGB", dict(format="WEBP", quality=5)),
        ("webp-lossless", "RGB", dict(format="WEBP", lossless=True)),
        ("webp-extended", "RGBA", dict(format="WEBP", quality=5, exif=b"Exif\0\0")),
        ("bmp", "RGB", dict(format="BMP")),
    ]
    for name, mode, options in kinds:
        for size in [(1, 1), (40, 20), (3, 300), (640, 480)]:
            buffer = io.BytesIO()
            Image.new(mode, size).save(buffer, **options)
            data = buffer.getvalue()
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
            show(name, width, height, options["format"].lower(), data)
    # What few encoders write before the frame of a JPEG.
    frame = bytes.fromhex("ffc00011080014002803012200021101031101")
    between = [
        ("huffman-table", b"\xff\xc4\x00\x13" + bytes(17)),
        ("arithmetic-table", b"\xff\xcc\x00\x04\x00\x01"),
        ("extension", b"\xff\xc8\x00\x08\x08\x00\x01\x00\x01\x01"),
        ("restart", b"\xff\xd0"),
        ("escape", b"\xff\x00"),
        ("end", b"\xff\xd9"),
        ("fill", b"\xff\xff\xff"),
        ("junk", b"\xff\xd0\x00\x12\x34"),
    ]
    for name, segment in between:
        data = b"\xff\xd8" + segment + frame
        with Image.open(io.BytesIO(data)) as image:
            show(f"jpeg-{name}", *image.size, "jpeg", data)


def show(name, width, height, kind, data):
    payload = base64.b64encode(data[:KEPT]).decode()
    print(name, width, height, f"data:image/{kind};base64,{payload}", sep="\t")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["grids", "files"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "grids":
        grids(arguments.count, arguments.seed)
    else:
        files()


if __name__ == "__main__":
    main()
