"""The demo, whole, but trained for one epoch on few digits: it must run and say what failed."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import cv2
import pytest
from shell import Run

from reflexarc.cli.box import film
from reflexarc.cli.demo import story
from reflexarc.models.family import Dataset, Options, Split, Trained
from reflexarc.models.mnist_cnn import FAMILY

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path | None) -> Dataset:
        whole = FAMILY.load(folder)
        few = Split(whole.train.inputs[:6000], whole.train.labels[:6000])
        test = Split(whole.test.inputs[:1000], whole.test.labels[:1000])
        return Dataset(few, test, test, whole.labels, whole.source)

    def train(data: Dataset, options: Options) -> Trained:
        return FAMILY.train(data, dataclasses.replace(options, epochs=1))

    monkeypatch.setattr(story, "FAMILY", dataclasses.replace(FAMILY, load=load, train=train))
    monkeypatch.setattr(film, "FPS", 2.0)


def test_a_hurried_demo_plays_the_box_and_names_what_failed(
    hurried: None, reflexarc: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    code, out, err = reflexarc("demo", "--out", folder, "--json")
    result = json.loads(out)
    checks = {check["name"]: check["held"] for check in result["checks"]}
    # One epoch does not reach 99.2 %, and the demo must not say that it does.
    assert code == 1
    assert not checks["Keras accuracy at least 99.2 %"]
    assert "failed: Keras accuracy at least 99.2 %" in err
    assert checks["INT8 file at most 300 kB"]
    assert checks["nothing is touched"]
    assert checks["motors off at the end"]
    assert checks["command in the chip -> PWM pin within one control period, simulated"]
    # A net of one epoch misreads a card now and then, and drives elsewhere.
    assert result["run"]["ended"] in ("goal", "time")
    assert set(result["run"]["exits"].values()) == {0}

    assert not result["model_reused"]
    data = story.FAMILY.load(None)
    _, again = story.training.train_once(story.FAMILY, data, Options(0), folder)
    assert again, "a model that was trained is kept and used again"

    # In simulated time: 9 bytes at 500 kbaud and coding, then less than a control period.
    latency = {row["name"]: row for row in result["latency"]}
    assert 0.15 < latency["UART"]["p50_ms"] < 0.5
    assert 0 < latency["firmware -> PWM pin"]["worst_ms"] <= 10.5

    page = (folder / "report.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="data:image/png;base64,[A-Za-z0-9+/=]{1000,}"', page)
    fired = sum(event["event"] == "fired" for event in result["run"]["events"])
    assert len(pictures) == 4 + fired
    assert '<video controls muted playsinline style="width:100%" src="data:video/mp4' in page
    assert "http://" not in page and "https://" not in page
    for name in ("overview.png", "timeline.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")

    video = cv2.VideoCapture(str(folder / "box.mp4"))
    seconds = video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS)
    assert seconds == pytest.approx(result["run"]["simulated_s"], abs=1.0)
    video.set(cv2.CAP_PROP_POS_FRAMES, 1)
    read, first = video.read()
    video.set(cv2.CAP_PROP_POS_FRAMES, video.get(cv2.CAP_PROP_FRAME_COUNT) - 2)
    read_last, last = video.read()
    video.release()
    assert read and read_last
    # The robot has driven, so the view from above and the robot's own are others at the end.
    for part in (slice(0, 720), slice(720, None)):
        assert cv2.absdiff(first[:, part], last[:, part]).mean() > 0.5
