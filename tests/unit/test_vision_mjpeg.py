"""Motion JPEG by any rule and against every rule: the pictures that were sent whole come out, each once."""

import random
from collections.abc import Iterator

import cv2
import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st

from edge.vision.camera.jpegwalk import Step, Walk
from edge.vision.camera.mjpeg import MAX_HEADERS, Parser, Part


def picture(number: int, progressive: bool = False) -> bytes:
    """A small JPEG that no other number gives."""
    chance = np.random.default_rng(number)
    image = chance.integers(0, 255, (16 + 8 * (number % 5), 24 + 8 * (number % 3), 3), np.uint8)
    how = [cv2.IMWRITE_JPEG_QUALITY, 40 + number % 50, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", image, [*how, cv2.IMWRITE_JPEG_RST_INTERVAL, number % 2])[1].tobytes()


PICTURES = [picture(number, number % 4 == 3) for number in range(16)]


def with_thumbnail(jpeg: bytes, thumbnail: bytes) -> bytes:
    """A JPEG with another one in its APP1 segment, as cameras with EXIF send them."""
    exif = b"Exif\0\0" + thumbnail
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def part(jpeg: bytes, length: int | None = None, boundary: bytes = b"--line") -> bytes:
    says = b"" if length is None else b"Content-Length: %d\r\n" % length
    return boundary + b"\r\nContent-Type: image/jpeg\r\n" + says + b"\r\n" + jpeg + b"\r\n"


def pieces(stream: bytes, cuts: random.Random, most: int = 200) -> Iterator[bytes]:
    while stream:
        size = cuts.randint(1, most)
        yield stream[:size]
        stream = stream[size:]


def parsed(stream: bytes, boundary: str | None = "line", at_once: int = 1 << 20) -> tuple[list[bytes], int]:
    parser = Parser(boundary)
    found = [
        out.data for i in range(0, len(stream), at_once) for out in parser.feed(stream[i : i + at_once], 1_000_000 + i)
    ]
    return found, parser.torn


# Streams by the rule


def test_pictures_come_out_as_they_went_in_with_lengths_and_without() -> None:
    with_lengths = b"".join(part(jpeg, len(jpeg)) for jpeg in PICTURES)
    without = b"".join(part(jpeg) for jpeg in PICTURES)
    for stream in (with_lengths, without, with_lengths.replace(b"\r\n\r\n", b"\n\n"), b"preamble\r\n" + without):
        for at_once in (1, 7, 1 << 20):
            assert parsed(stream, at_once=at_once) == (PICTURES, 0)


def test_a_picture_comes_out_with_its_last_octet_not_with_the_next_boundary() -> None:
    parser = Parser("line")
    stream = part(PICTURES[0])
    end = stream.rindex(b"\xff\xd9") + 2
    assert list(parser.feed(stream[: end - 1], 1)) == []
    assert [out.data for out in parser.feed(stream[end - 1 : end], 2)] == [PICTURES[0]]


def test_the_time_of_a_picture_is_that_of_its_own_first_octet() -> None:
    """Some cameras send the boundary right behind a picture, and all that follows only with the next one."""
    parser = Parser("line")
    first, second = part(PICTURES[0]), part(PICTURES[1])
    begin = second.index(b"\xff\xd8")
    assert [out.at_us for out in parser.feed(first + second[:10], 100)] == [100]
    assert list(parser.feed(second[10:begin], 200)) == []
    assert list(parser.feed(second[begin : begin + 40], 300)) == []
    assert list(parser.feed(second[begin + 40 :], 400)) == [Part(300, PICTURES[1])]


def test_a_picture_within_a_picture_is_part_of_it() -> None:
    jpeg = with_thumbnail(PICTURES[1], PICTURES[2])
    for boundary in ("line", None, "another"):
        assert parsed(part(jpeg) * 3, boundary) == ([jpeg] * 3, 0)


# Streams against it


def test_a_boundary_that_is_not_the_declared_one_or_is_quoted_or_none() -> None:
    stream = b"".join(part(jpeg, boundary=b"--other") for jpeg in PICTURES)
    assert parsed(stream, "line") == (PICTURES, 0)
    assert parsed(stream, None) == (PICTURES, 0)
    assert parsed(stream, '"--other"') == (PICTURES, 0)
    assert parsed(b"".join(PICTURES), None) == (PICTURES, 0)


def test_lengths_are_not_believed() -> None:
    for length in (0, 3, 10**10, 5 * 2**30):
        assert parsed(b"".join(part(jpeg, length) for jpeg in PICTURES)) == (PICTURES, 0)
    assert parsed(part(PICTURES[0]).replace(b"image/jpeg", b"image/jpeg\r\nContent-Length: many")) == ([PICTURES[0]], 0)


def test_a_picture_that_is_cut_off_is_counted_and_the_next_one_is_whole() -> None:
    for cut in range(4, len(PICTURES[0]) - 2, 5):
        stream = part(PICTURES[1]) + part(PICTURES[0][:cut]) + part(PICTURES[2]) + part(PICTURES[3])
        found, torn = parsed(stream, at_once=64)
        assert found == [PICTURES[1], PICTURES[2], PICTURES[3]], f"cut at {cut}"
        assert torn == 1


def test_a_cut_picture_is_survived_without_any_boundary_too() -> None:
    for cut in range(PICTURES[0].index(b"\xff\xda") + 14, len(PICTURES[0]) - 2):
        found, torn = parsed(PICTURES[1] + PICTURES[0][:cut] + PICTURES[2] + PICTURES[3], None)
        assert found == [PICTURES[1], PICTURES[2], PICTURES[3]], f"cut at {cut}"
        assert torn == 1


def test_endless_headers_an_endless_picture_and_endless_nothing_take_no_memory() -> None:
    whole = part(PICTURES[0])
    head = PICTURES[0][:-2]
    assert head[-1] != 0xFF
    for name, endless in (("headers", b"X-Header: 0123456789\r\n"), ("data", b"\x55" * 22), ("ends", b"\xff\x00" * 11)):
        parser = Parser("line", max_part=100_000)
        begin = whole + b"--line\r\n" if name == "headers" else whole + part(head)[:-2]
        found = list(parser.feed(begin, 0))
        most = 0
        for _ in range(500):
            found += parser.feed(endless * 100, 0)
            most = max(most, parser.held)
        found += [*parser.feed(whole + whole, 0)]
        assert most <= 100_000 + 2_200 + MAX_HEADERS, name
        assert [out.data for out in found] == [PICTURES[0]] * 3, name


def test_a_boundary_that_changes_in_the_middle_is_forgotten_after_a_while() -> None:
    parser = Parser("line", max_part=50_000)
    found = [out.data for out in parser.feed(part(PICTURES[0]), 0)]
    for _ in range(100):
        found += [out.data for out in parser.feed(part(PICTURES[1], boundary=b"--other"), 0)]
    assert found[0] == PICTURES[0]
    assert found[-1] == PICTURES[1]
    assert len(found) > 30


@given(
    st.lists(st.integers(0, len(PICTURES) - 1), max_size=8),
    st.lists(st.binary(max_size=300), max_size=9),
    st.sampled_from([None, 0, 10**12]),
    st.integers(0, 2**32),
)
def test_whatever_lies_between_the_parts_the_pictures_come_out(
    numbers: list[int], garbage: list[bytes], length: int | None, seed: int
) -> None:
    sent = [PICTURES[0], *(PICTURES[number] for number in numbers)]  # the first shows that the boundary holds
    junk = [bytes(octets).replace(b"\xff\xd8", b"") for octets in garbage]
    stream = part(sent[0]) + b"".join(
        (junk[i] if i < len(junk) else b"") + part(jpeg, length) for i, jpeg in enumerate(sent[1:])
    )
    parser, found = Parser("line", max_part=20_000), []
    note(f"seed {seed}")
    for piece in pieces(stream, random.Random(seed)):
        found += [out.data for out in parser.feed(piece, 0)]
        assert parser.held <= 20_000 + 200 + MAX_HEADERS
    assert found == sent


@given(st.binary(max_size=2000), st.integers(0, 2**32), st.sampled_from(["line", None]))
def test_anything_at_all_is_survived_within_bounds_and_then_pictures_come_again(
    data: bytes, seed: int, boundary: str | None
) -> None:
    parser, found = Parser(boundary, max_part=3_000), []
    cuts = random.Random(seed)
    note(f"seed {seed}")
    opening = b"\xff\xd8\xff" * cuts.randint(0, 1)
    for piece in pieces(opening + data, cuts):
        found += list(parser.feed(piece, 0))
        assert parser.held <= 3_000 + 200 + MAX_HEADERS
    for out in found:
        assert out.data.startswith(b"\xff\xd8\xff")
        assert out.data.endswith(b"\xff\xd9")
    after = [out.data for _ in range(60) for out in parser.feed(part(PICTURES[5]), 0)]
    assert after[-1] == PICTURES[5]
    assert len(after) > 30


@given(st.integers(0, len(PICTURES) - 1), st.integers(1, 400), st.binary(max_size=40))
def test_a_walk_finds_the_end_of_any_jpeg_however_it_arrives(number: int, at_once: int, behind: bytes) -> None:
    jpeg, walk, buffer = PICTURES[number], Walk(), bytearray()
    stream = jpeg + behind
    for i in range(0, len(stream), at_once):
        buffer += stream[i : i + at_once]
        step = walk.step(buffer)
        if step is Step.END:
            break
        assert step is Step.MORE
    assert (step, walk.place) == (Step.END, len(jpeg))
