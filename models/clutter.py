"""Pictures that look like writing and are no digit, so that a net learns to doubt.

Outlier exposure (Hendrycks et al. 2019, arXiv:1812.04606): trained towards equal
scores on such pictures, the net answers what it does not know with a low best
score, which a threshold then turns into "no digit". Everything is drawn or cut
on a larger sheet and brought to 28x28 as the digits task brings what it finds.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.mnist_normalize import normalize

Gray = npt.NDArray[np.uint8]
Draw = Callable[[np.random.Generator, Gray], Gray]

# Letters and signs that nobody takes for a digit (no O, I, l, S, Z, B, G, D, b, g, q, ...).
_LETTERS = tuple("ACEFHKLMNPRTUVWXaefhkmnprtuvwx&%#@?$+=")
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
_SIDE = 96


def clutter(digits: Gray, rng: np.random.Generator) -> Gray:
    """As many pictures of no digit as there are digits.

    Args:
        digits: uint8 (n, 28, 28, 1), digits that may be spoiled for it.
        rng: decides everything.

    Returns:
        uint8 (n, 28, 28, 1), light on black.
    """
    kinds = list(_KINDS)
    weights = np.array(list(_KINDS.values()))
    out = np.empty_like(digits)
    for i in range(len(digits)):
        draw = kinds[int(rng.choice(len(kinds), p=weights))]
        out[i, ..., 0] = _wear(normalize(draw(rng, digits[..., 0])), rng)
    return out


def scribble(rng: np.random.Generator, digits: Gray) -> Gray:
    """One to four random curves or zigzags."""
    sheet = _sheet()
    thick = int(rng.integers(4, 15))
    for _ in range(int(rng.integers(1, 5))):
        points = rng.uniform(12, 84, (int(rng.integers(3, 7)), 2))
        if rng.random() < 0.5:
            points = _smooth(points)
        _strokes(sheet, points, thick)
    return sheet


def letter(rng: np.random.Generator, digits: Gray) -> Gray:
    """One letter or sign, or two side by side, a little tilted."""
    sheet = np.zeros((120, 160), np.uint8)
    text = "".join(rng.choice(_LETTERS, 1 if rng.random() < 0.6 else 2))
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    cv2.putText(sheet, text, (20, 90), font, 2.4, 255, int(rng.integers(3, 12)), cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((80.0, 60.0), float(rng.normal(0, 12)), 1.0)
    return _gray(cv2.warpAffine(sheet, turn, (160, 120)))


def shape(rng: np.random.Generator, digits: Gray) -> Gray:
    """A bar, disc, arc, polygon, cross, corner, frame, ladder, or bows and dots."""
    sheet = _sheet()
    draw = _SHAPES[int(rng.integers(len(_SHAPES)))]
    draw(sheet, rng, int(rng.integers(4, 16)))
    return _gray(cv2.rotate(sheet, cv2.ROTATE_90_CLOCKWISE)) if draw is _ladder else sheet


def texture(rng: np.random.Generator, digits: Gray) -> Gray:
    """A connected piece of natural-looking texture: thin parts of 1/f noise."""
    size = 64
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / frequency ** rng.uniform(0.8, 2.0)
    # Hair, folds, branches and edges are stretched one way.
    width, height = (round(size * rng.uniform(1, 2)) for _ in range(2))
    field = cv2.resize(np.real(np.fft.ifft2(spectrum)), (width, height))
    gray = ((field - field.min()) * (255 / np.ptp(field))).astype(np.uint8)
    thin = cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, np.ones((17, 17), np.uint8))
    limit = max(12.0, float(rng.uniform(0.25, 0.5)) * float(thin.max()))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((thin > limit).astype(np.uint8))
    side = stats[1:, 2:4].max(axis=1, initial=0)
    fitting = 1 + np.flatnonzero((side >= 12) & (side <= 44))
    if not fitting.size:
        return _gray(thin)
    piece = labels == int(rng.choice(fitting))
    own = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8))
    full = max(1.0, float(np.percentile(thin[piece], 90)))
    return _gray(cv2.convertScaleAbs(thin * own, alpha=255 / full))


def spoiled(rng: np.random.Generator, digits: Gray) -> Gray:
    """Two digits run together, stacked, laid over each other, or one turned over another."""
    first, second = (digits[int(i)] for i in rng.integers(len(digits), size=2))
    kind = int(rng.integers(4))
    if kind < 2:
        gap = int(rng.integers(12, 19))
        sheet = np.zeros((28, 56), np.uint8)
        if kind:
            first, second = np.rot90(first), np.rot90(second)
        sheet[:, :28] = first
        sheet[:, gap : gap + 28] = np.maximum(sheet[:, gap : gap + 28], second)
        return np.ascontiguousarray(np.rot90(sheet, -1) if kind else sheet)
    if kind == 2:
        down, right = (int(n) for n in rng.integers(-6, 7, 2))
        return _gray(np.maximum(first, np.roll(second, (down, right), (0, 1))))
    return _gray(np.maximum(first, np.rot90(second)))


_KINDS: dict[Draw, float] = {
    scribble: 0.20,
    letter: 0.15,
    shape: 0.20,
    texture: 0.33,
    spoiled: 0.12,
}


def _bar(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    """Too flat or too thick for a one."""
    if rng.random() < 0.5:
        size, turn = (70.0, float(rng.uniform(6, 40))), float(rng.uniform(-40, 40))
    else:
        size, turn = (float(rng.uniform(26, 60)), 76.0), float(rng.normal(0, 8))
    corners = cv2.boxPoints(((48.0, 48.0), size, turn))
    cv2.fillPoly(sheet, [corners.astype(np.int32)], 255, cv2.LINE_AA)


def _disc(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    _ellipse(sheet, rng, (14, 40), -1, 360)


def _arc(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    """C, U and n shapes."""
    _ellipse(sheet, rng, (18, 38), thick, int(rng.integers(60, 280)))


def _polygon(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    corners = rng.uniform(10, 86, (int(rng.integers(3, 6)), 2))
    cv2.fillPoly(sheet, [corners.astype(np.int32)], 255, cv2.LINE_AA)


def _cross(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    turn, up = float(np.deg2rad(rng.normal(0, 15))), float(rng.uniform(-30, 30))
    along = 34 * np.array([np.cos(turn), np.sin(turn)])
    across = np.array([along[1], -along[0]])
    middle = np.array([48.0, 48.0])
    shifted = middle + np.array([0.0, up])
    _strokes(sheet, np.stack([shifted - along, shifted + along]), thick)
    _strokes(sheet, np.stack([middle - across, middle + across]), thick)


def _corner(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    corner = rng.choice([16.0, 80.0], 2)
    arm = np.where(corner > 48, -1.0, 1.0) * rng.uniform(30, 62, 2)
    ends = corner + np.array([[arm[0], rng.normal(0, 5)], [rng.normal(0, 5), arm[1]]])
    _strokes(sheet, np.stack([ends[0], corner, ends[1]]), thick)


def _frame(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    """Wider than a zero."""
    half = int(rng.integers(12, 36))
    cv2.rectangle(sheet, (10, 48 - half), (86, 48 + half), 255, thick)


def _ladder(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    """Ladders, combs and checks; `shape` lays them down."""
    count = int(rng.integers(2, 6))
    for k in range(count):
        at = 12 + k * 72 // count
        cv2.line(sheet, (at, 12), (at, 84), 255, max(2, 36 // count), cv2.LINE_AA)
    if rng.random() < 0.7:
        at = int(rng.integers(12, 84))
        cv2.line(sheet, (10, at), (86, at), 255, thick, cv2.LINE_AA)


def _face(sheet: Gray, rng: np.random.Generator, thick: int) -> None:
    """Bows and dots, as eyes and mouths are."""
    for _ in range(int(rng.integers(2, 6))):
        centre = rng.integers(15, 80, 2)
        axes = (int(rng.integers(5, 22)), int(rng.integers(3, 14)))
        width = int(rng.choice([-1, 4, 7]))
        end = int(rng.integers(120, 361))
        at = (int(centre[0]), int(centre[1]))
        cv2.ellipse(sheet, at, axes, float(rng.uniform(0, 360)), 0, end, 255, width, cv2.LINE_AA)


_SHAPES = (_bar, _disc, _arc, _polygon, _cross, _corner, _frame, _ladder, _face)


def _ellipse(
    sheet: Gray, rng: np.random.Generator, radii: tuple[int, int], thick: int, end: int
) -> None:
    axes = (int(rng.integers(*radii)), int(rng.integers(*radii)))
    turn = float(rng.uniform(0, 360))
    cv2.ellipse(sheet, (48, 48), axes, turn, 0, end, 255, thick, cv2.LINE_AA)


def _smooth(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Quadratic curves through the midpoints of a polyline."""
    t = np.linspace(0, 1, 9)[:, None]
    middle = (points[:-1] + points[1:]) / 2
    return np.concatenate(
        [
            (1 - t) ** 2 * a + 2 * t * (1 - t) * p + t**2 * b
            for a, p, b in zip(middle[:-1], points[1:-1], middle[1:], strict=True)
        ]
    )


def _strokes(sheet: Gray, points: npt.NDArray[np.float64], thick: int) -> None:
    cv2.polylines(sheet, [points.astype(np.int32)], False, 255, thick, cv2.LINE_AA)


def _wear(picture: Gray, rng: np.random.Generator) -> Gray:
    """Blur it, or let its strokes fade to one side as a fold or a shadow does."""
    if rng.random() < 0.5:
        picture = _gray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.0))))
    if rng.random() < 0.3:
        fade = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.2, 1), 28)
        picture = (picture * (fade if rng.random() < 0.5 else fade[:, None])).astype(np.uint8)
    return picture


def _sheet() -> Gray:
    return np.zeros((_SIDE, _SIDE), np.uint8)


def _gray(image: npt.NDArray[np.generic]) -> Gray:
    return image.astype(np.uint8)
