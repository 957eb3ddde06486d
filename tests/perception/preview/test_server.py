"""The preview over HTTP, spoken to as a browser would."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from itertools import count

import cv2
import numpy as np
import pytest

from reflexarc.perception import Box, Detection, Frame, Observation
from reflexarc.perception.preview import PreviewError, PreviewServer, View, view
from reflexarc.perception.preview.page import page

HOUR = 3600


def shown(seq: int, size: tuple[int, int] = (60, 80)) -> View:
    frame = Frame(np.full((*size, 3), seq % 200 + 20, np.uint8), seq, seq, "test")
    said = Observation(seq, seq, "test", "digits", (Detection("数字 3", 0.9, Box(1, 2, 3, 4)),))
    return View(frame, (said,), statistics={"tasks": {"digits": {"seen": seq}}})


@pytest.fixture
def server() -> Iterator[PreviewServer]:
    before = threading.active_count()
    with PreviewServer(0) as running:
        yield running
    assert threading.active_count() <= before + 1  # the last handler may be on its way out


def get(server: PreviewServer, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


class Stream:
    """A viewer of the stream."""

    def __init__(self, server: PreviewServer) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.connection.request("GET", "/stream.mjpg")
        self.answer = self.connection.getresponse()
        kind = self.answer.headers["Content-Type"]
        assert kind.startswith("multipart/x-mixed-replace; boundary=")
        self.boundary = b"--" + kind.rpartition("=")[2].encode()
        assert self.answer.readline().strip() == self.boundary

    def frame(self) -> np.ndarray:
        headers = {}
        while (line := self.answer.readline().strip()) != b"":
            name, _, value = line.partition(b": ")
            headers[name] = value
        assert headers[b"Content-Type"] == b"image/jpeg"
        jpeg = self.answer.read(int(headers[b"Content-Length"]))
        assert self.answer.readline() == b"\r\n"
        assert self.answer.readline().strip() == self.boundary
        return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_each_viewer_gets_the_frames(server: PreviewServer) -> None:
    viewers = [Stream(server) for _ in range(3)]
    for seq in (10, 90, 170):
        server.show(shown(seq))
        for viewer in viewers:
            image = viewer.frame()
            assert image.shape == (60, 80, 3)
            assert abs(float(image[50, 60].mean()) - seq - 20) < 4
    for viewer in viewers:
        viewer.close()


def test_what_nobody_looks_at_is_neither_drawn_nor_encoded(
    server: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = count()
    real = cv2.imencode

    def counting(*arguments: object) -> object:
        next(encoded)
        return real(*arguments)

    monkeypatch.setattr(view.cv2, "imencode", counting)
    views = [shown(seq) for seq in range(20)]
    for one in views:
        server.show(one)
    get(server, "/observations")
    assert next(encoded) == 0
    assert not any("drawn" in vars(one) for one in views)
    # And for several viewers it is encoded once.
    viewers = [Stream(server) for _ in range(4)]
    for viewer in viewers:
        viewer.frame()
        viewer.close()
    assert next(encoded) == 2


def test_a_viewer_that_does_not_read_holds_up_nobody(server: PreviewServer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    stuck = socket.create_connection(("127.0.0.1", server.port))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
    stuck.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
    other = Stream(server)
    for seq in range(30):  # ten times what fits between the two
        server.show(View(Frame(noise, seq, seq, "test")))
        other.frame()
    other.close()
    server.close()  # and it ends, though that one is still there
    stuck.close()


def test_a_slow_viewer_gets_the_newest_frame(server: PreviewServer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    viewer = Stream(server)
    newest = 60  # 60 of these, 20 MB, fit into no socket's buffers
    for seq in range(newest + 1):
        image = noise.copy()
        image[200:300, 200:300] = 4 * seq
        server.show(View(Frame(image, seq, seq, "test")))
    seen = [-1.0]
    while round(seen[-1] / 4) < newest:
        seen.append(float(viewer.frame()[220:280, 220:280].mean()))
    assert seen == sorted(seen)
    assert len(seen) < newest / 2
    viewer.close()


def test_snapshot_observations_and_statistics(server: PreviewServer) -> None:
    assert get(server, "/snapshot.jpg")[0].status == 503
    assert json.loads(get(server, "/observations")[1]) == {"frame": None, "observations": []}
    assert json.loads(get(server, "/statistics")[1]) == {}
    server.show(shown(42))
    answer, jpeg = get(server, "/snapshot.jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (60, 80, 3)
    said = json.loads(get(server, "/observations")[1])
    assert said["frame"] == 42
    assert Observation.from_dict(said["observations"][0]) == shown(42).observations[0]
    assert json.loads(get(server, "/statistics")[1]) == {"tasks": {"digits": {"seen": 42}}}
    assert get(server, "/../etc/passwd")[0].status == 404


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de,fr;q=0.9", "en"),
        ("de,zh-TW;q=0.3", "zh-CN"),
        ("en;q=0,zh", "zh-CN"),
        (";;q=x,,", "en"),
        ("", "en"),
    ],
)
def test_the_page_speaks_the_browser_s_language(
    accepts: str, language: str, server: PreviewServer
) -> None:
    answer, body = get(server, "/", **{"Accept-Language": accepts})
    text = body.decode()
    assert f'<html lang="{language}">' in text
    assert ("看到的内容" in text) == (language == "zh-CN")
    assert "{{" not in text
    assert answer.headers["Vary"] == "Accept-Language"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    assert "://" not in page("en")


@pytest.mark.parametrize("host", ["camera.example.com", "192.168.1.5:80", "", "[:", "localhost.x"])
def test_a_site_that_points_its_name_at_this_machine_reads_nothing(
    host: str, server: PreviewServer
) -> None:
    server.show(shown(1))
    for path in ("/", "/stream.mjpg", "/snapshot.jpg", "/observations"):
        answer, body = get(server, path, Host=host)
        assert answer.status == 403
        assert len(body) < 100
    for name in ("localhost", f"127.0.0.1:{server.port}", "[::1]:80", "127.0.0.2"):
        assert get(server, "/snapshot.jpg", Host=name)[0].status == 200


def test_only_this_machine_is_served_unless_a_host_is_given(server: PreviewServer) -> None:
    assert server.only_local
    assert server.url == f"http://127.0.0.1:{server.port}/"
    with PreviewServer(0, "0.0.0.0") as everywhere:
        assert not everywhere.only_local
        everywhere.show(shown(1))
        assert get(everywhere, "/snapshot.jpg", Host="robot.local")[0].status == 200


def test_a_port_that_is_taken_or_is_none_is_explained(server: PreviewServer) -> None:
    with pytest.raises(PreviewError, match=f"127.0.0.1:{server.port}; found Address already"):
        PreviewServer(server.port)
    with pytest.raises(PreviewError, match="1024 to 65535"):
        PreviewServer(70_000)
    with pytest.raises(PreviewError, match="no-such-host"):
        PreviewServer(0, "no-such-host.invalid")


def test_there_is_a_limit_to_viewers(server: PreviewServer) -> None:
    server.show(shown(1))
    viewers = [Stream(server) for _ in range(16)]
    for viewer in viewers:
        viewer.frame()
    assert get(server, "/snapshot.jpg")[0].status == 503
    viewers.pop().close()
    for seq in count(2):  # that it has left is noticed when frames do not reach it
        server.show(shown(seq))
        for viewer in viewers:
            viewer.frame()
        if get(server, "/snapshot.jpg")[0].status == 200:
            break
    for viewer in viewers:
        viewer.close()


def test_closing_ends_every_viewer(server: PreviewServer) -> None:
    viewers = [Stream(server) for _ in range(3)]
    idle = socket.create_connection(("127.0.0.1", server.port))
    server.close()
    for viewer in viewers:
        assert viewer.answer.read() == b""
        viewer.close()
    idle.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
