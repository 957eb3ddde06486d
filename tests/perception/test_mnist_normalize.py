"""The normaliser: any ink becomes what MNIST's makers would have drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reflexarc.perception.tasks.mnist_normalize import FAINT, normalize


@st.composite
def inks(draw):
    """Scribbles of any size, aspect and thickness."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(8, 90)), draw(st.integers(8, 90))
    ink = np.zeros((height, width), np.uint8)
    points = rng.integers([0, 0], [width, height], (draw(st.integers(2, 6)), 2), dtype=np.int32)
    cv2.polylines(ink, [points], False, 255, draw(st.integers(1, 8)), cv2.LINE_AA)
    assume(ink.max() > FAINT)  # a line at the very edge leaves next to nothing inside
    return ink


def extent(image):
    rows, columns = np.nonzero(image)
    return columns.max() - columns.min() + 1, rows.max() - rows.min() + 1


def centre(image):
    m = cv2.moments(image)
    return m["m10"] / m["m00"] + 0.5, m["m01"] / m["m00"] + 0.5


@given(ink=inks())
def test_the_digit_fills_a_box_of_twenty(ink):
    out = normalize(ink)

    assert out.shape == (28, 28)
    assert out.dtype == np.uint8
    assert 19 <= max(extent(out)) <= 20


@given(ink=inks())
def test_the_centre_of_mass_is_in_the_middle(ink):
    out = normalize(ink)
    x, y = centre(out)
    rows, columns = np.nonzero(out)
    # A very lopsided shape is pushed only as far as it still fits.
    fits_x = columns.min() > 0 and columns.max() < 27
    fits_y = rows.min() > 0 and rows.max() < 27

    assert abs(x - 14) < 1 or not fits_x
    assert abs(y - 14) < 1 or not fits_y


@given(ink=inks(), margins=st.tuples(*[st.integers(0, 30)] * 4))
def test_empty_margins_change_nothing(ink, margins):
    top, bottom, left, right = margins
    wide = cv2.copyMakeBorder(ink, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)

    assert np.array_equal(normalize(ink), normalize(wide))


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_size_changes_next_to_nothing(factor):
    ink = np.zeros((40, 40), np.uint8)
    cv2.ellipse(ink, (20, 20), (9, 15), 10, 0, 300, 255, 4, cv2.LINE_AA)
    large = cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)

    difference = normalize(ink).astype(int) - normalize(large)

    assert np.abs(difference).mean() < 10  # half a pixel of rounding; another digit gives 40


def test_the_aspect_is_kept():
    ink = np.zeros((60, 60), np.uint8)
    ink[10:50, 28:32] = 255

    assert extent(normalize(ink)) == (2, 20)


def test_no_ink_gives_an_empty_picture():
    assert not normalize(np.zeros((30, 20), np.uint8)).any()


def test_too_faint_ink_is_no_ink():
    assert not normalize(np.full((20, 20), FAINT, np.uint8)).any()
