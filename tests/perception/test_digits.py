"""The digits task: finds digits of any size and contrast, and nothing in clutter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import compose
import cv2
import numpy as np
import pytest

from reflexarc.perception import Frame
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.tasks import default_model, default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.digits import Digits, open_digits, required_score
from reflexarc.perception.tasks.digits.finder import Finder
from reflexarc.perception.tasks.digits.strokes import noise_of, strokes_of
from reflexarc.perception.tasks.mnist_normalize import normalize


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(default_model("digits"))


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(default_model("digit_finder"))


@pytest.fixture(scope="module")
def samples(mnist) -> tuple[np.ndarray, np.ndarray]:
    return mnist.test_images, mnist.test_labels


def look(task, image):
    return task.process(Frame(image, 123, 4, "here"))


def one_of_each(samples):
    images, labels = samples
    return [(images[np.flatnonzero(labels == d)[0]], d) for d in range(10)]


# --- the answer's form ---


def test_an_observation_belongs_to_its_frame(digits):
    seen = look(digits, compose.board(np.random.default_rng(0)))

    assert (seen.stamp_ns, seen.seq, seen.source, seen.task) == (123, 4, "here", "digits")
    assert seen.detections == ()


@dataclass
class OtherModel:
    card: Any

    def predict(self, image):
        raise AssertionError("must not be asked")


@pytest.mark.parametrize("change", [{"task": "mask"}, {"thresholds": {}}])
def test_a_model_for_something_else_is_refused(change):
    card = default_model("digits").card.model_copy(update=change)

    with pytest.raises(TaskError, match="digits"):
        Digits(OtherModel(card))


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (11, 11), (13, 300), (37, 41), (900, 1700)])
def test_a_frame_of_any_size_is_looked_at(digits, shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)

    assert look(digits, noise).detections == ()


def test_a_halftone_of_single_dots_is_no_digit(digits):
    dots = np.zeros((480, 640, 3), np.uint8)
    dots[::2, ::2] = 255  # more components than 16-bit labels can name

    assert look(digits, dots).detections == ()


@pytest.mark.parametrize("limit", ["clean", "slope_bar"])
def test_a_digits_model_without_its_limits_is_refused(limit):
    card = default_model("digits").card
    lacking = {name: v for name, v in card.thresholds.items() if name != limit}

    with pytest.raises(TaskError, match=limit):
        Digits(OtherModel(card.model_copy(update={"thresholds": lacking})))


def test_a_finder_that_is_none_is_refused(digits):
    with pytest.raises(TaskError, match="digit-finder"):
        Digits(default_model("digits"), finder=default_model("digits"))


def test_users_bring_a_digits_model_of_their_own(samples, tmp_path):
    """The packaged file under another name, and one that never is sure."""
    image = compose.board(np.random.default_rng(0))
    compose.write_on(image, samples[0][0], 200, 100, scale=3, color=(20, 20, 20))
    own = tmp_path / "mine.tflite"
    own.write_bytes(default_model_path("digits").read_bytes())

    assert [d.label for d in look(open_digits(own), image).detections] == [str(samples[1][0])]

    class Unsure:
        card = default_model("digits").card

        def predict(self, picture):
            assert picture.shape == (28, 28) and picture.dtype == np.uint8
            return np.full(10, 0.1, np.float32)

    assert look(Digits(Unsure()), image).detections == ()


# --- what may be a digit, in frames of any size ---


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (720, 1280), (2000, 1500)])
@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5)])
def test_a_digit_anywhere_in_a_frame_of_any_shape_is_read_once(digits, samples, shape, corner):
    image = compose.board(np.random.default_rng(0), *shape, level=200, noise=1.0)
    size = 90 if max(shape) < 2000 else 150
    left, top = (round(10 + k * (n - size - 20)) for k, n in zip(corner, shape[::-1], strict=True))
    digit = samples[0][np.flatnonzero(samples[1] == 4)[0]]
    compose.write_on(image, digit, left, top, scale=size / 28, color=(30, 30, 30))

    (found,) = look(digits, image).detections

    assert found.label == "4"
    assert left < found.box.x < found.box.x + found.box.width < left + size
    assert top < found.box.y < found.box.y + found.box.height < top + size


def test_a_large_frame_is_searched_for_small_digits_in_parts(digits, samples):
    """A row of digits 20 pixels high across 1280: in places where parts meet as well."""
    image = compose.board(np.random.default_rng(0), 720, 1280, level=220, noise=1.0)
    digit = samples[0][np.flatnonzero(samples[1] == 3)[0]]
    lefts = range(20, 1230, 41)
    for left in lefts:
        compose.write_on(image, digit, left, 220 + left // 8, scale=1, color=(20, 20, 20))

    found = look(digits, image).detections

    assert [d.label for d in found] == ["3"] * len(lefts)
    assert all(15 < d.box.height < 25 for d in found)


@pytest.mark.parametrize(
    ("low", "high", "least"), [(12, 16, 0.6), (16, 24, 0.85), (24, 60, 0.9), (60, 300, 0.9)]
)
def test_digits_of_every_size_are_read_from_cards(digits, samples, low, high, least):
    rng = np.random.default_rng(low)
    images, labels = samples
    right, count = 0, 60
    for i in rng.choice(len(images), count, replace=False):
        wall = compose.board(rng, 480, 640, level=int(rng.integers(80, 240)))
        rows, columns = np.nonzero(images[i] > 60)
        longest = 1 + max(np.ptp(rows), np.ptp(columns))
        scale = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / longest
        made = compose.paste_card(rng, wall, images[i], labels[i], scale=scale)
        here = [d for d in look(digits, made.image).detections if made.is_at(d.box)]
        right += [d.label for d in here] == [made.label]

    assert right >= least * count


# --- strokes found, and given to the model in one form ---


def ink_of(finder, image):
    strokes = [s for candidate in finder.find(image) for s in strokes_of(image, candidate)]
    found = max(strokes, key=lambda s: s.width * s.height)
    return normalize(found.ink), found


def test_inversion_does_not_change_what_the_model_sees(finder):
    canvas = np.full((120, 160), 20, np.uint8)
    canvas[40:68, 60:88] = np.maximum(20, compose.seven_segments())

    light, _ = ink_of(finder, canvas)
    dark, _ = ink_of(finder, 255 - canvas)

    assert np.abs(light.astype(int) - dark).max() <= 2


@pytest.mark.parametrize("gain", [0.25, 0.5, 0.8])
def test_contrast_changes_next_to_nothing(finder, gain):
    canvas = np.zeros((120, 160), np.uint8)
    canvas[40:68, 60:88] = compose.seven_segments()

    full, _ = ink_of(finder, canvas)
    weak, _ = ink_of(finder, (canvas * gain + 40).astype(np.uint8))

    assert np.abs(full.astype(int) - weak).mean() < 4


@pytest.mark.parametrize("scale", [1, 1.5, 2, 3.3, 5, 8, 12])
def test_the_box_is_right_at_every_size(finder, scale):
    seven = compose.seven_segments()
    side = round(28 * scale)
    canvas = np.zeros((400, 420), np.uint8)
    canvas[30 : 30 + side, 50 : 50 + side] = cv2.resize(seven, (side, side))
    x, y, w, h = cv2.boundingRect((canvas > 100).astype(np.uint8))

    _, found = ink_of(finder, canvas)

    reach = 1.5 + scale
    assert abs(found.x - x) < reach
    assert abs(found.y - y) < reach
    assert abs(found.x + found.width - x - w) < reach
    assert abs(found.y + found.height - y - h) < reach


def test_a_dirtier_surface_asks_for_a_surer_model():
    limits = default_model("digits").card.thresholds
    surfaces = (0.0, 0.01, 0.05, 0.2)
    scores = [required_score(limits, dirt, 0.5, bar=False) for dirt in surfaces]
    bars = [required_score(limits, dirt, 0.5, bar=True) for dirt in surfaces]

    assert scores == sorted(scores)
    assert all(bar > score for bar, score in zip(bars, scores, strict=True))


def test_a_surer_finder_asks_for_less():
    limits = default_model("digits").card.thresholds
    for bar in (False, True):
        scores = [required_score(limits, 0.05, found, bar) for found in (0.0, 0.3, 0.7, 1.0)]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > scores[-1]


# --- real handwriting on made-up pictures ---


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scale", [1.0, 3.0, 7.5])
def test_all_ten_digits_are_read_from_cards(digits, samples, scale, dark):
    rng = np.random.default_rng(1)
    photo = np.full((300, 400, 3), (90, 140, 60), np.uint8)
    right = 0
    for digit, label in one_of_each(samples):
        made = compose.paste_card(rng, photo, digit, label, scale=scale, gain=0.6, dark=dark)
        found = look(digits, made.image).detections
        right += [d.label for d in found] == [made.label] and made.is_at(found[0].box)

    assert right >= 9


def test_a_row_of_digits_on_a_board_is_read_in_place(digits, samples):
    sheet = compose.board(np.random.default_rng(2))
    for digit, label in one_of_each(samples):
        left, top = 10 + 92 * (label % 5), 60 + 130 * (label // 5)
        compose.write_on(sheet, digit, left, top, scale=3, color=(30, 40, 120))

    found = sorted(look(digits, sheet).detections, key=lambda d: (d.box.y > 150, d.box.x))

    assert [d.label for d in found] == list("0123456789")
    assert all(0.5 < d.score <= 1 for d in found)


def test_the_best_score_comes_first(digits, samples):
    sheet = compose.board(np.random.default_rng(3))
    for digit, label in one_of_each(samples)[:4]:
        compose.write_on(sheet, digit, 20 + 110 * label, 90, scale=3.5, color=(20, 20, 20))

    scores = [d.score for d in look(digits, sheet).detections]

    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)


def test_shapes_and_letters_are_no_digits(digits):
    sheet = compose.board(np.random.default_rng(4))
    cv2.rectangle(sheet, (40, 40), (100, 90), (0, 0, 0), -1)
    cv2.line(sheet, (150, 80), (220, 84), (0, 0, 0), 5, cv2.LINE_AA)
    cv2.line(sheet, (300, 30), (360, 90), (0, 0, 0), 5, cv2.LINE_AA)
    cv2.line(sheet, (300, 90), (360, 30), (0, 0, 0), 5, cv2.LINE_AA)
    cv2.putText(sheet, "MWKH", (60, 250), cv2.FONT_HERSHEY_SIMPLEX, 3, (0, 0, 0), 6, cv2.LINE_AA)

    assert look(digits, sheet).detections == ()


# --- the acceptance: real digits on real photos, and real photos without ---

PHOTOS = ("seg/human/Training_Images", "mask/with_mask", "mask/without_mask", "clothing10/test")


def photos_of(shared_data, seed):
    """All photos of at least 80 pixels, the kinds in turn, each kind shuffled."""
    rng = np.random.default_rng(seed)
    kinds = [sorted((shared_data / name).rglob("*.[jp][pn]g")) for name in PHOTOS]
    shuffled = [[kind[i] for i in rng.permutation(len(kind))] for kind in kinds if kind]
    for turn in range(max(len(kind) for kind in shuffled)):
        for kind in shuffled:
            image = read_picture(kind[turn % len(kind)])
            if min(image.shape[:2]) >= 80:
                yield image


@pytest.mark.timeout(900)
def test_a_thousand_digits_pasted_onto_photos_are_found_and_read(digits, samples, shared_data):
    rng = np.random.default_rng(2026)
    images, labels = samples
    chosen = rng.choice(len(images), 1000, replace=False)
    right = 0
    for i, photo in zip(chosen, photos_of(shared_data, 7), strict=False):
        made = compose.paste_card(rng, photo, images[i], labels[i])
        here = [d for d in look(digits, made.image).detections if made.is_at(d.box)]
        right += [d.label for d in here] == [made.label]

    print(f"found and read: {right} of 1,000")
    assert right >= 950


@pytest.mark.timeout(900)
def test_digits_drawn_straight_onto_photos_are_found_more_often_than_not(
    digits, samples, shared_data
):
    """No card, no even surface: black or white strokes on whatever is there."""
    rng = np.random.default_rng(2027)
    images, labels = samples
    right = 0
    for i, photo in zip(
        rng.choice(len(images), 200, replace=False), photos_of(shared_data, 9), strict=False
    ):
        scale = float(rng.uniform(1, 0.6 * min(photo.shape[:2]) / 28))
        made = compose.paste_strokes(rng, photo, images[i], labels[i], scale=scale)
        here = [d for d in look(digits, made.image).detections if made.is_at(d.box)]
        right += [d.label for d in here] == [made.label]

    print(f"straight on photos, found and read: {right} of 200")
    assert right >= 100


@pytest.mark.timeout(900)
def test_photos_without_digits_give_none(digits, shared_data):
    photos = [photo for _, photo in zip(range(200), photos_of(shared_data, 8), strict=False)]

    clean = sum(not look(digits, photo).detections for photo in photos)

    print(f"nothing reported: {clean} of 200")
    assert clean >= 190


# --- in the dark ---


@pytest.mark.parametrize("sigma", [0, 2, 6, 12])
def test_the_noise_of_a_picture_is_known(sigma):
    ramp = np.add.outer(np.linspace(60, 160, 200), np.linspace(0, 40, 300))
    noisy = ramp + np.random.default_rng(0).normal(0, sigma, ramp.shape)

    assert noise_of(noisy.astype(np.uint8)) == pytest.approx(sigma, abs=0.4)


@pytest.mark.parametrize("sigma", [3, 6, 12, 25])
def test_noise_alone_is_nothing_and_does_not_hide_a_card(digits, samples, sigma):
    rng = np.random.default_rng(1)
    dark = np.full((480, 640), 60.0) + rng.normal(0, sigma, (480, 640))
    empty = np.repeat(np.clip(dark, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert look(digits, empty).detections == ()

    digit = samples[0][np.flatnonzero(samples[1] == 3)[0]]
    dark[100:268, 200:368] = cv2.resize(digit, (168, 168)) * 0.7
    dark += rng.normal(0, sigma, dark.shape)
    with_card = np.repeat(np.clip(dark, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert [found.label for found in look(digits, with_card).detections] == ["3"]


def test_a_noisy_picture_is_not_searched_speck_by_speck(finder):
    """What noise leaves to look at closely stays a handful: it decides the time taken."""
    noisy = np.random.default_rng(0).normal(120, 7, (480, 640)).clip(0, 255).astype(np.uint8)

    assert len(finder.find(noisy)) < 20


# --- how small ---


def test_only_digits_of_the_size_asked_for_are_looked_for(samples):
    image = compose.board(np.random.default_rng(0), noise=1.0)
    for scale, left in ((1.2, 60), (4, 200)):  # strokes 24 and 80 pixels high
        digit = samples[0][np.flatnonzero(samples[1] == 3)[0]]
        compose.write_on(image, digit, left, 100, scale=scale, color=(20, 20, 20))
    model = default_model("digits")

    assert len(look(Digits(model), image).detections) == 2
    (large,) = look(Digits(model, smallest_px=40), image).detections
    assert large.box.height == pytest.approx(80, rel=0.1)
    assert large.box.x > 200
