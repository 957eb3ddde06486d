"""The digit finder: made-up scenes, what the net is to answer, training, the packaged file."""

from __future__ import annotations

import numpy as np
import pytest

from reflexarc.models.clutter import clutter
from reflexarc.models.digit_finder.backgrounds import Backgrounds, page, stripes, surface, texture
from reflexarc.models.digit_finder.network import BOX, build, targets
from reflexarc.models.digit_finder.scenes import SIDE, Mark, Scenes
from reflexarc.models.family import Options
from reflexarc.models.mnist import Mnist
from reflexarc.perception.tasks import default_model
from reflexarc.perception.tasks.digits.finder import UNIT
from reflexarc.perception.tasks.digits.sheet import CELL, HEIGHT, WIDTH


@pytest.fixture(scope="module")
def scenes(mnist: Mnist) -> Scenes:
    digits = mnist.train_images[:500]
    none = clutter(digits[:100, ..., None], np.random.default_rng(0))[..., 0]
    photo = np.random.default_rng(0).integers(0, 256, (150, 200), np.uint8)
    return Scenes(digits, none, Backgrounds([photo]))


def drawn(scenes: Scenes, count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [scenes.draw(rng) for _ in range(count)]


# --- scenes ---


@pytest.mark.parametrize("kind", [surface, texture, stripes, page])
def test_every_kind_of_background_varies(kind) -> None:
    rng = np.random.default_rng(0)
    images = [kind(rng, SIDE) for _ in range(3)]
    assert all(image.shape == (SIDE, SIDE) and image.dtype == np.uint8 for image in images)
    assert (images[0] != images[1]).any() and (images[1] != images[2]).any()


def test_a_seed_makes_the_same_scenes(scenes: Scenes) -> None:
    for (one, marks), (other, same) in zip(drawn(scenes, 20), drawn(scenes, 20), strict=True):
        assert (one == other).all()
        assert marks == same
    assert any(
        (a[0] != b[0]).any() for a, b in zip(drawn(scenes, 5), drawn(scenes, 5, 1), strict=True)
    )


def test_clear_digits_stand_out_in_their_boxes_the_way_they_say(scenes: Scenes) -> None:
    """Light strokes are lighter than what is left and right of them; nearly always."""
    right, count = 0, 0
    for image, marks in drawn(scenes, 150):
        for m in marks:
            if not m.clear:
                continue
            assert m.x > 0 and m.x + m.width < SIDE and m.y > 0 and m.y + m.height < SIDE
            rows, columns = (
                slice(int(m.y), int(m.y + m.height)),
                slice(int(m.x), int(m.x + m.width)),
            )
            low, high = np.percentile(image[rows, columns].astype(float), (5, 95))
            around = np.concatenate([image[rows, columns.start - 1], image[rows, columns.stop]])
            count += 1
            right += (high - np.median(around) > np.median(around) - low) == m.light
    assert count > 60
    assert right > 0.85 * count


# --- targets ---


def test_a_digits_cell_tells_its_place_size_and_polarity() -> None:
    score, box = targets([Mark(40, 34, 10, 20, light=False, clear=True)], SIDE, SIDE)
    row, column = 44 // CELL, 45 // CELL
    assert score[row, column, 0] == 1
    middle = (np.array([column, row]) + 0.5) * CELL + box[row, column, :2] * UNIT
    assert middle == pytest.approx([45, 44])
    assert np.exp2(box[row, column, 2:4]) * UNIT == pytest.approx([10, 20])
    assert box[row, column, 4] == -1
    assert (score == 1).sum() == 1
    assert score[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("longest", "clear", "answer"),
    [(20, True, 1), (20, False, -1), (8, True, -1), (33, True, -1), (43, True, 0)],
)
def test_what_is_out_of_the_range_or_hardly_seen_does_not_count(
    longest: int, clear: bool, answer: int
) -> None:
    at = 44 - longest / 2
    score, _ = targets([Mark(at, at, longest / 2, longest, True, clear)], SIDE, SIDE)
    x, y = at + longest / 4, at + longest / 2
    assert score[int(y) // CELL, int(x) // CELL, 0] == answer


# --- the net ---


def test_the_net_answers_once_a_cell_for_pictures_of_any_size() -> None:
    small, large = build(SIDE, SIDE), build(HEIGHT, WIDTH)
    assert [tuple(o.shape[1:]) for o in large.outputs] == [
        (HEIGHT // CELL, WIDTH // CELL, 1),
        (HEIGHT // CELL, WIDTH // CELL, BOX),
    ]
    large.set_weights(small.get_weights())
    picture = np.random.default_rng(0).random((1, SIDE, SIDE, 1), np.float32)
    sheet = np.zeros((1, HEIGHT, WIDTH, 1), np.float32)
    sheet[:, 192 : 192 + SIDE, 192 : 192 + SIDE] = picture
    inner = slice(5, -5)  # cells that do not see beyond the picture
    for one, other in zip(
        small.predict(picture, verbose=0), large.predict(sheet, verbose=0), strict=True
    ):
        at = slice(192 // CELL, (192 + SIDE) // CELL)
        assert other[0, at, at][inner, inner] == pytest.approx(one[0, inner, inner], abs=1e-4)


def test_training_learns_and_repeats(scenes: Scenes) -> None:
    from reflexarc.models.digit_finder.train import train

    options = Options(seed=3, epochs=4)
    model, history = train(scenes, options, count=512)
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.input_shape == (None, HEIGHT, WIDTH, 1)
    again, _ = train(scenes, options, count=512)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_the_packaged_file_is_this_net_in_int8() -> None:
    model = default_model("digit_finder")
    assert (model.card.input.height, model.card.input.width) == (HEIGHT, WIDTH)
    assert model.card.quantization == "int8"
    assert model.path.stat().st_size < 150_000
    score, box = model.run(np.zeros((HEIGHT, WIDTH), np.uint8))
    assert score.shape == (1, HEIGHT // CELL, WIDTH // CELL, 1)
    assert box.shape == (1, HEIGHT // CELL, WIDTH // CELL, BOX)
    assert score.max() < model.card.thresholds["candidate"]  # nothing in the dark
    assert model.card.metrics["found"] > 0.8
    assert abs(model.card.metrics["found"] - model.card.metrics["found_keras"]) < 0.02
