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
from reflexarc.perception.tasks import default_model
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.digits import Digits, required_score
from reflexarc.perception.tasks.mnist_normalize import normalize
from reflexarc.perception.tasks.proposals import find_strokes
from reflexarc.perception.tasks.sheet import noise_of


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(default_model("digits"))


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


# --- strokes found, and given to the model in one form ---


def ink_of(image):
    found = max(find_strokes(image, {}), key=lambda s: s.width * s.height)
    return normalize(found.ink), found


def test_inversion_does_not_change_what_the_model_sees():
    canvas = np.full((120, 160), 20, np.uint8)
    canvas[40:68, 60:88] = np.maximum(20, compose.seven_segments())

    light, _ = ink_of(canvas)
    dark, _ = ink_of(255 - canvas)

    assert np.abs(light.astype(int) - dark).max() <= 2


@pytest.mark.parametrize("gain", [0.25, 0.5, 0.8])
def test_contrast_changes_next_to_nothing(gain):
    canvas = np.zeros((120, 160), np.uint8)
    canvas[40:68, 60:88] = compose.seven_segments()

    full, _ = ink_of(canvas)
    weak, _ = ink_of((canvas * gain + 40).astype(np.uint8))

    assert np.abs(full.astype(int) - weak).mean() < 4


@pytest.mark.parametrize("scale", [1, 1.5, 2, 3.3, 5, 8, 12])
def test_the_box_is_right_at_every_size(scale):
    seven = compose.seven_segments()
    side = round(28 * scale)
    canvas = np.zeros((400, 420), np.uint8)
    canvas[30 : 30 + side, 50 : 50 + side] = cv2.resize(seven, (side, side))
    x, y, w, h = cv2.boundingRect((canvas > 100).astype(np.uint8))

    _, found = ink_of(canvas)

    reach = 1.5 + scale
    assert abs(found.x - x) < reach
    assert abs(found.y - y) < reach
    assert abs(found.x + found.width - x - w) < reach
    assert abs(found.y + found.height - y - h) < reach


def test_a_dirtier_surface_asks_for_a_surer_model():
    scores = [required_score(dirt, bar=False) for dirt in (0.0, 0.01, 0.05, 0.2)]
    bars = [required_score(dirt, bar=True) for dirt in (0.0, 0.01, 0.05, 0.2)]

    assert scores == sorted(scores)
    assert all(bar > score for bar, score in zip(bars, scores, strict=True))


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


def test_a_noisy_picture_is_not_searched_speck_by_speck():
    """What noise leaves to look at closely stays a handful: it decides the time taken."""
    noisy = np.random.default_rng(0).normal(120, 7, (480, 640)).clip(0, 255).astype(np.uint8)

    assert len(list(find_strokes(noisy, {}))) < 20


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
