"""Bytes to pictures: whatever comes, it is a whole picture or one error that says what is wrong."""

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from visionmodels import SKIN, belt, jpeg, lay

from edge.errors import BadImage
from edge.vision import images
from edge.vision.views import Image


def picture(width: int = 121, height: int = 90) -> Image:
    """A fruit on a belt with the noise of a camera."""
    image = belt(width, height)
    lay(image, (width // 2, height // 2), (width // 3, height // 3), spots=2)
    noise = np.random.default_rng(7).integers(-9, 9, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


WAYS = {
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 90]),
    "progressive": (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "restarts": (".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 3]),
    "png": (".png", []),
    "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "lossless webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
    "bmp": (".bmp", []),
}
ENCODED = {way: cv2.imencode(*(ending, picture()[..., ::-1], how))[1].tobytes() for way, (ending, how) in WAYS.items()}


@pytest.mark.parametrize("way", ENCODED)
def test_colours_and_size_come_as_they_were_taken(way: str) -> None:
    image = images.decode(ENCODED[way], "camera-a")
    assert image.shape == (90, 121, 3)
    assert image.dtype == np.uint8
    assert np.abs(image[45, 50].astype(int) - SKIN).max() < 40  # red, green, blue, and not the other way round


@pytest.mark.parametrize("way", ENCODED)
def test_cut_off_anywhere_it_is_refused(way: str) -> None:
    data = ENCODED[way]
    for length in range(0, len(data) - 1, max(1, len(data) // 150)):
        with pytest.raises(BadImage, match=r"^camera-a: "):
            images.decode(data[:length], "camera-a")


def test_a_jpeg_whose_lower_half_is_missing_is_refused_though_it_has_an_end() -> None:
    data = ENCODED["jpeg"]
    with pytest.raises(BadImage, match="torn"):
        images.decode(data[: len(data) // 2] + b"\xff\xd9", "camera-a")


def test_a_jpeg_that_libjpeg_complains_of_is_refused_and_only_for_what_it_said_of_this_one() -> None:
    said = ["", "Corrupt JPEG data: bad Huffman code"]
    with pytest.raises(BadImage, match="x: torn or damaged"):
        images.decode(ENCODED["jpeg"], "x", complaint=lambda: said.pop(0))
    said = ["Corrupt JPEG data: bad Huffman code", ""]
    assert images.decode(ENCODED["jpeg"], "x", complaint=lambda: said.pop(0)).shape == (90, 121, 3)


def test_a_picture_that_ends_in_the_grey_of_torn_ones_is_no_torn_one() -> None:
    grey = np.full((64, 80, 3), 128, np.uint8)
    grey[:20] = 30
    assert np.abs(images.decode(jpeg(grey), "x").astype(int) - grey).max() < 12


@pytest.mark.parametrize("way", ENCODED)
def test_what_follows_the_end_does_not_matter(way: str) -> None:
    assert np.array_equal(images.decode(ENCODED[way] + bytes(500), "x"), images.decode(ENCODED[way], "x"))


def test_no_size_and_too_large_a_size_are_refused_before_memory_is_taken() -> None:
    data = bytearray(ENCODED["jpeg"])
    at = data.index(b"\xff\xc0") + 5
    for height, width, words in ((0, 121, "nothing to see"), (65_000, 65_000, "more than 40 million")):
        struct.pack_into(">HH", data, at, height, width)
        with pytest.raises(BadImage, match=words):
            images.decode(bytes(data), "x")
    with pytest.raises(BadImage, match="more than 40 million"):
        images.decode(png_header(2**31 - 1, 2**31 - 1), "x")
    with pytest.raises(BadImage, match="nothing to see"):
        images.decode(png_header(0, 10), "x")
    with pytest.raises(BadImage, match="more than 25 MB"):
        images.decode(b"\xff\xd8" + bytes(images.MAX_BYTES), "x")


def test_of_an_animation_no_picture_is_taken_for_the_whole() -> None:
    for data in (animated_png(), animated_webp()):
        with pytest.raises(BadImage, match="x: animated, several pictures in one file: save the one that is meant"):
            images.decode(data, "x")
    still = with_chunks(b"tEXt", b"acTL")
    assert np.array_equal(images.decode(still, "x"), images.decode(ENCODED["png"], "x"))
    clear = cv2.imencode(".webp", np.dstack([picture(), picture()[..., 0]]), WAYS["webp"][1])[1].tobytes()
    assert clear[12:16] == b"VP8X", "the kind of WebP that may be animated"
    assert images.decode(clear, "x").shape == (90, 121, 3)


def animated_png() -> bytes:
    """Two pictures, by its header."""
    return with_chunks(b"acTL", struct.pack(">II", 2, 0))


def with_chunks(kind: bytes, content: bytes) -> bytes:
    """A PNG with one chunk more after its header."""
    data, end = ENCODED["png"], 8 + 25
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return data[:end] + chunk + data[end:]


def animated_webp() -> bytes:
    """Of one lossy picture, shown for a second."""
    picture_chunk = ENCODED["webp"][12:]
    size = (120).to_bytes(3, "little") + (89).to_bytes(3, "little")
    frame = bytes(6) + size + (1000).to_bytes(3, "little") + bytes(1) + picture_chunk
    chunks = [(b"VP8X", bytes([2, 0, 0, 0]) + size), (b"ANIM", bytes(6)), (b"ANMF", frame)]
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(content)) + content for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, and has nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_grey_deep_and_transparent_pictures_become_rgb_of_eight_bits() -> None:
    grey = np.tile(np.arange(0, 240, 2, np.uint8), (50, 1))
    assert (images.decode(png(grey), "x") == grey[..., None]).all()
    assert (images.decode(png(grey.astype(np.uint16) * 256 + 99), "x") == grey[..., None]).all()
    deep = np.zeros((20, 30, 3), np.uint16)
    deep[:] = (10 * 257, 20 * 257, 200 * 257)
    assert (images.decode(png(deep), "x") == (200, 20, 10)).all()
    clear = np.zeros((20, 30, 4), np.uint8)
    clear[:, :10] = (10, 20, 200, 255)
    clear[:, 10:] = (255, 0, 0, 0)
    assert (images.decode(png(clear), "x")[:, :10] == (200, 20, 10)).all()
    assert (images.decode(png(clear), "x")[:, 10:] == images.GROUND).all()
    assert images.decode(jpeg_grey(), "x").shape == (90, 121, 3)


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_a_large_transparent_picture_takes_little_more_memory_than_its_pixels(deep: bool) -> None:
    clear = np.zeros((2000, 2500, 4), np.uint16 if deep else np.uint8)
    clear[:, 1000:] = 255 * (257 if deep else 1)
    data = png(clear)
    tracemalloc.start()
    image = images.decode(data, "x", longest=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.shape == (400, 500, 3)
    assert (image[:, :190] == images.GROUND).all()
    assert (image[:, 210:] == 255).all()
    assert peak < clear.nbytes + 1.5 * 3 * 2000 * 2500, "what was decoded, and the same in RGB"


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """Of pixels in OpenCV's order: BGR or BGRA."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def jpeg_grey() -> bytes:
    """With one channel only."""
    return cv2.imencode(".jpg", picture()[..., 1])[1].tobytes()


def test_a_large_photograph_is_made_smaller_on_the_way() -> None:
    large = jpeg(picture(2000, 1500))
    small = images.decode(large, "x", longest=400)
    assert small.shape == (300, 400, 3)
    whole = cv2.resize(images.decode(large, "x"), (400, 300), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - whole).mean() < 3
    assert images.decode(ENCODED["png"], "x", longest=60).shape == (45, 60, 3)
    assert images.decode(ENCODED["png"], "x", longest=400).shape == (90, 121, 3)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match=r"nowhere\.jpg: cannot be read: No such file"):
        images.read(tmp_path / "nowhere.jpg")
    with pytest.raises(BadImage, match="cannot be read: Is a directory"):
        images.read(tmp_path)
    with pytest.raises(BadImage, match="cannot be read: File name too long"):
        images.read(tmp_path / f"{'long' * 100}.jpg")


def test_what_is_empty_of_another_kind_or_no_file_at_all_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(BadImage, match=r"empty\.jpg: the file is empty: take or copy the picture again"):
        images.read(tmp_path / "empty.jpg")
    (tmp_path / "fruit.tif").write_bytes(cv2.imencode(".tif", picture())[1].tobytes())
    with pytest.raises(BadImage, match="neither JPEG nor PNG, WebP or BMP: convert it, for example to JPEG"):
        images.read(tmp_path / "fruit.tif")
    os.mkfifo(tmp_path / "pipe.jpg")
    for endless in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(BadImage, match="a pipe or device: write the picture to a file"):
            images.read(endless)


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        ("", False),
        ("Corrupt JPEG data: premature end of data segment\n", True),
        ("Corrupt JPEG data: bad Huffman code", True),
        ("Corrupt JPEG data: 1 extraneous bytes before marker 0xd9", False),
        ("Corrupt JPEG data: 195 extraneous bytes before marker 0xd9", True),
        ("Corrupt JPEG data: 2 extraneous bytes before marker 0xd9 | Corrupt JPEG data: bad Huffman code", True),
        ("libpng warning: iCCP: known incorrect sRGB profile", False),
    ],
)
def test_only_what_libjpeg_says_of_missing_data_means_damage(said: str, damaged: bool) -> None:
    assert images.means_damage(said) is damaged


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"\xff\xd8\xff\xda\x00\x02\xff\xd9")
@example(b"\xff\xd8" + b"\xff" * 300)
@example(b"RIFF\x00\x00\x00\x00WEBPVP8X\x00")
def test_garbage_is_refused(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"BM"):
        whole_or_bad(start + data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(ENCODED)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), min_size=1, max_size=6),
)
def test_changed_bytes_give_a_picture_or_the_one_error(way: str, changes: list[tuple[float, bytes]]) -> None:
    data = bytearray(ENCODED[way])
    for place, put in changes:
        at = int(place * len(data))
        data[at : at + len(put)] = put
    whole_or_bad(bytes(data))


def whole_or_bad(data: bytes) -> None:
    """It is an image of the promised kind, or BadImage says where it came from."""
    told = outcome(data)
    if isinstance(told, str):
        assert told.startswith("camera-a: ")
        return
    assert told.ndim == 3
    assert told.shape[2] == 3
    assert 0 < told.size <= 3 * images.MAX_PIXELS
    assert told.dtype == np.uint8


def outcome(data: bytes) -> Image | str:
    """The picture, or the error's words."""
    try:
        return images.decode(data, "camera-a")
    except BadImage as error:
        return str(error)
