"""Photos as people have them: turned, transparent, grey, damaged, far too large."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from reflexarc.models.pictures import PictureError, decode, difference_hash


def packed(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def half_red(mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, 40 wide and 20 high."""
    picture = Image.new("RGB", (40, 20), (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, 20, 20))
    return picture.convert(mode)


def test_a_photo_turned_by_exif_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must turn right
    image, size = decode(packed(half_red(), "JPEG", exif=exif, quality=95))
    assert image.shape == (40, 20, 3)
    assert size == (40, 20)
    assert image[5, 10, 0] > 200 and image[35, 10, 2] > 200  # red is now on top


def test_transparency_is_laid_on_white() -> None:
    picture = half_red("RGBA")
    picture.putpixel((30, 10), (0, 0, 0, 0))
    picture.putpixel((31, 10), (0, 0, 0, 128))
    image, _ = decode(packed(picture, "PNG"))
    assert image[10, 30].tolist() == [255, 255, 255]
    assert image[10, 31].tolist() == [127, 127, 127]
    assert image[10, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind, mode", [("PNG", "P"), ("GIF", "P"), ("JPEG", "CMYK")])
def test_palettes_and_print_colours_come_out_as_rgb(kind: str, mode: str) -> None:
    image, _ = decode(packed(half_red(mode), kind))
    assert np.abs(image[10, 5].astype(int) - (255, 0, 0)).max() < 30
    assert np.abs(image[10, 35].astype(int) - (0, 0, 255)).max() < 30


def test_16_bit_grey_keeps_its_whole_range() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    image, _ = decode(packed(Image.fromarray(ramp), "PNG"))
    assert image.shape == (4, 256, 3)
    assert image[0, :, 0].tolist() == list(range(256))


def test_8_bit_grey_has_three_equal_channels() -> None:
    image, _ = decode(packed(half_red("L"), "PNG"))
    assert image.shape == (20, 40, 3)
    assert (image == image[..., :1]).all()


def test_a_large_jpeg_is_shrunk_while_it_is_decoded_but_remembers_its_size() -> None:
    large = half_red().resize((1600, 800))
    image, size = decode(packed(large, "JPEG"), enough=100)
    assert size == (800, 1600)
    assert 100 <= image.shape[0] < 800


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore")  # between one and two times the limit Pillow only warns
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(PictureError, match="pixels"):
        decode(png_that_claims(side, side))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        packed(half_red(), "JPEG")[:300],
        packed(half_red(), "PNG")[:60],
        packed(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"),
    ],
    ids=["empty", "text", "cut jpeg", "cut png", "float pixels"],
)
def test_what_is_no_whole_picture_is_an_error_that_says_why(data: bytes) -> None:
    with pytest.raises(PictureError, match="expected a whole picture; found .+; replace"):
        decode(data)


def test_copies_have_close_hashes_and_other_pictures_have_not() -> None:
    rng = np.random.default_rng(0)

    def scene() -> Image.Image:
        blobs = rng.integers(0, 255, (6, 6, 3), np.uint8)
        return Image.fromarray(blobs).resize((200, 150), Image.Resampling.BICUBIC)

    def bits(a: int, b: int) -> int:
        return (a ^ b).bit_count()

    one, other = scene(), scene()
    copy = packed(one.resize((120, 90)), "JPEG", quality=60)
    hashes = [difference_hash(np.asarray(p)) for p in (one, other)]
    assert bits(hashes[0], difference_hash(decode(copy)[0])) <= 7
    assert bits(*hashes) > 30
