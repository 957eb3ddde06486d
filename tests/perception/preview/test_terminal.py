"""The view in a terminal, read back from what would be on the screen."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from reflexarc.perception import Box, Detection, Frame, Keypoint, Observation
from reflexarc.perception.overlay import Marks
from reflexarc.perception.preview import PreviewError, TerminalView, View
from reflexarc.perception.preview.terminal import HalfBlocks, layout, scaled


def console(width: int = 100, height: int = 30, **options: object) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        width=width,
        height=height,
        legacy_windows=False,
        **options,
    )


def cells(image: np.ndarray, screen: Console) -> list[list[tuple[str, tuple, tuple]]]:
    """Character, colour of the upper half and of the lower, of each cell."""
    rows: list[list[tuple[str, tuple, tuple]]] = [[]]
    for segment in screen.render(HalfBlocks(image), screen.options):
        if segment.text == "\n":
            rows.append([])
            continue
        style = segment.style
        colours = tuple(tuple(color.triplet) for color in (style.color, style.bgcolor))
        rows[-1] += [(letter, *colours) for letter in segment.text]
    return [row for row in rows if row]


def test_two_pixels_share_a_character() -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)
    drawn = cells(image, console())
    assert len(drawn) == 6
    for y, row in enumerate(drawn):
        assert [letter for letter, _, _ in row] == ["▀"] * 17
        for x, (_, top, bottom) in enumerate(row):
            assert top == tuple(image[2 * y, x] & 0xF8)
            assert bottom == tuple(image[2 * y + 1, x] & 0xF8)


def view(width: int = 640, height: int = 480) -> View:
    box = Box(width / 4, height / 4, width / 2, height / 2)
    found = Detection("口罩 [b]mask[/b]", 0.87, box, track=3)
    said = Observation(0, 0, "test", "mask", (found,), {"sit_ups": 12})
    task = {"look_ms": (4.2, 9.9), "dropped": 7}
    camera = {"health": "ok", "fps": 29.97, "dropped": 1}
    frame = Frame(np.full((height, width, 3), 100, np.uint8), 0, 0, "test")
    return View(frame, (said,), statistics={"camera": camera, "tasks": {"mask": task}})


def text(screen: Console) -> str:
    return screen.file.getvalue()


@pytest.mark.parametrize("size", [(100, 30), (200, 60), (60, 40), (30, 10)])
@pytest.mark.parametrize("frame", [(640, 480), (480, 640), (1, 1), (2000, 3)])
def test_it_fits_any_terminal(size: tuple[int, int], frame: tuple[int, int]) -> None:
    screen = console(*size)
    lines = screen.render_lines(layout(view(*frame), *size), screen.options)
    assert max(sum(s.cell_length for s in line) for line in lines) <= size[0]


def test_what_is_seen_stands_beside_the_picture() -> None:
    screen = Console(file=io.StringIO(), width=100, height=30)
    screen.print(layout(view(), 100, 30))
    said = text(screen)
    for words in (
        "#3 口罩 [b]mask[/b]",
        "87 %",
        "sit_ups",
        "12",
        "ok, 30.0 fps",
        "4.2",
        "9.9",
        "7",
    ):
        assert words in said


def test_boxes_are_drawn_at_the_size_of_the_terminal() -> None:
    screen = console()
    colours = {
        s.style.color.triplet
        for s in screen.render(layout(view(), 100, 30), screen.options)
        if "▀" in s.text and s.style and s.style.color
    }
    assert len(colours) > 1
    screen = console()
    plain = View(view().frame)
    drawn = [
        s.style.color.triplet
        for s in screen.render(layout(plain, 100, 30), screen.options)
        if "▀" in s.text
    ]
    assert set(drawn) == {(96, 96, 96)}


def test_marks_and_keypoints_are_scaled_with_the_picture() -> None:
    said = Observation(
        0, 0, "t", "pose", (Detection("a", 1, Box(8, 4, 2, 6), keypoints=(Keypoint(4, 2, 0.5),)),)
    )
    (found,) = scaled(said, 0.5).detections
    assert found.box == Box(4, 2, 1, 3)
    assert found.keypoints == (Keypoint(2, 1, 0.5),)
    assert Marks({"l": [(2, 4)]}, {"z": [(6, 8)]}).scaled(0.5) == Marks(
        {"l": [(1, 2)]}, {"z": [(3, 4)]}
    )


def test_at_most_ten_a_second_are_shown_and_the_terminal_is_given_back() -> None:
    now = [0.0]
    screen = console()
    with TerminalView(screen, clock=lambda: now[0]) as terminal:
        sizes = []
        for _ in range(100):
            terminal.show(view())
            sizes.append(len(text(screen)))
            now[0] += 0.01
    assert 9 <= len(set(sizes)) <= 11
    assert text(screen).count("\x1b[?1049h") == text(screen).count("\x1b[?1049l") == 1


def test_a_pipe_is_no_terminal() -> None:
    with pytest.raises(PreviewError, match="--serve"):
        TerminalView(Console(file=io.StringIO()))


def test_a_terminal_without_unicode_gets_colours_of_spaces() -> None:
    raw = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    screen = Console(file=raw, force_terminal=True, color_system="truecolor", width=20)
    screen.print(HalfBlocks(np.full((4, 5, 3), 200, np.uint8)))
    raw.flush()
    assert b"48;2;200;200;200m     " in raw.buffer.getvalue()
