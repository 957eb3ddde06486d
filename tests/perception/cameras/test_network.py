"""RTSP and HTTP cameras against real servers: frames, passwords, stalls, hang-ups, rubbish."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise

import pytest
from network_cameras import Server, answers, jpegs, mjpeg, noise, request_of, rtsp

from reflexarc.perception.cameras import Camera, CameraError, open_camera, without_password
from reflexarc.perception.cameras.multipart import Parts, TooLargeError
from reflexarc.perception.cameras.synthetic import read_counter

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(talk: Callable[..., None], port: int = 0) -> Server:
        servers.append(Server(talk, port))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


BOTH = pytest.mark.parametrize(
    ("scheme", "path", "talk"), [("rtsp", "stream", rtsp), ("http", "mjpeg", mjpeg)]
)


def url(scheme: str, server: Server, path: str, login: str = "", options: str = "") -> str:
    return f"{scheme}://{login}127.0.0.1:{server.port}/{path}{options}"


def until(camera: Camera, condition: Callable[[Camera], bool]) -> None:
    end = time.monotonic() + 20
    while not condition(camera):
        assert time.monotonic() < end, camera.statistics()
        time.sleep(0.01)


# --- both ---


@BOTH
def test_frames_come_whole_and_in_order(serve: Serve, scheme, path, talk) -> None:
    server = serve(talk())
    before_ns = time.monotonic_ns()
    with open_camera(url(scheme, server, path)) as camera:
        assert camera.live
        frames = list(islice(camera, 10))
    numbers = [read_counter(frame.image) for frame in frames]
    assert None not in numbers
    assert all(a < b for a, b in pairwise(numbers))
    assert all(a.stamp_ns < b.stamp_ns for a, b in pairwise(frames))
    assert before_ns < frames[0].stamp_ns < frames[-1].stamp_ns < time.monotonic_ns()
    red, _, blue = frames[0].image[60, 8].astype(int)
    assert red > blue + 30  # the first of the synthetic bars


@BOTH
def test_a_stream_that_stalls_is_opened_again(serve: Serve, scheme, path, talk) -> None:
    server = serve(talk())
    with open_camera(url(scheme, server, path, options="#stall=2")) as camera:
        frames = iter(camera)
        next(frames)
        server.silent.set()
        until(camera, lambda c: c.statistics().health in ("stalled", "reopening"))
        server.silent.clear()
        until(camera, lambda c: c.statistics().recoveries >= 1)
        assert read_counter(next(frames).image) is not None
    assert server.connections >= 2


@BOTH
def test_a_camera_that_hangs_up_and_comes_back_is_opened_again(
    serve: Serve, free_port: int, scheme, path, talk
) -> None:
    server = Server(talk(), free_port)
    try:
        with open_camera(url(scheme, server, path, options="#stall=4")) as camera:
            frames = iter(camera)
            last = next(frames)
            server.close()
            until(camera, lambda c: c.statistics().failures == 1)
            serve(talk(), free_port)
            until(camera, lambda c: c.statistics().recoveries == 1)
            assert next(frames).seq > last.seq
            (outage,) = camera.statistics().outages
            assert outage.lasted_s is not None and outage.lasted_s > 0
    finally:
        server.close()


@BOTH
def test_closing_is_prompt_while_the_source_is_silent(serve: Serve, scheme, path, talk) -> None:
    server = serve(talk())
    with open_camera(url(scheme, server, path, options="#stall=3")) as camera:
        next(iter(camera))
        server.silent.set()
        seen: list[int] = []
        waiting = threading.Thread(target=lambda: seen.extend(f.seq for f in camera))
        waiting.start()
        camera.close()
        waiting.join(2)
        assert not waiting.is_alive()
        assert camera.statistics().health == "closed"


@BOTH
@pytest.mark.parametrize(
    ("login", "says"),
    [("", "asks for a user name and password"), ("me:wr%40ng@", "password refused")],
)
def test_a_camera_with_a_password_lets_only_its_owner_in(
    serve: Serve, scheme, path, talk, login: str, says: str
) -> None:
    server = serve(talk(login="me:s3cret"))
    with pytest.raises(CameraError, match=says):
        open_camera(url(scheme, server, path, login))
    with open_camera(url(scheme, server, path, "me:s3cret@")) as camera:
        frame = next(iter(camera))
        assert read_counter(frame.image) is not None
        assert frame.source == camera.source == url(scheme, server, path, "me:***@")


@BOTH
def test_a_password_is_never_shown(
    serve: Serve, scheme, path, talk, caplog: pytest.LogCaptureFixture, capfd
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(talk(login="me:s3cret"))
    source = url(scheme, server, path, "me:s3cret@", "#stall=4")
    with open_camera(source) as camera:
        next(iter(camera))
        server.close()
        until(camera, lambda c: c.statistics().failures == 1)
        shown = [str(camera.statistics())]
    for wrong in (source.replace("/" + path, "/elsewhere"), source.replace("me:", "you:")):
        with pytest.raises(CameraError) as caught:
            open_camera(wrong)
        shown.append(str(caught.value))
    shown += [caplog.text, *capfd.readouterr()]
    assert not [text for text in shown if "s3cret" in text]


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("rtsp://me:p@h/x", "rtsp://me:***@h/x"),
        ("http://me:p%40@ss@h:80/x?a=b@c", "http://me:***@h:80/x?a=b@c"),
        ("http://:p@h/", "http://:***@h/"),
        ("http://h/x?y=a:b@c", "http://h/x?y=a:b@c"),
        ("clip.mp4", "clip.mp4"),
    ],
)
def test_passwords_are_masked(secret: str, shown: str) -> None:
    assert without_password(secret) == shown


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_nobody_there_is_said_at_once(free_port: int, scheme: str) -> None:
    with pytest.raises(CameraError, match=f"nothing listens on 127.0.0.1:{free_port}"):
        open_camera(f"{scheme}://127.0.0.1:{free_port}/stream")
    with pytest.raises(CameraError, match="no host named"):
        open_camera(f"{scheme}://no-such-camera.invalid/stream")
    for odd in (f"{scheme}:///stream", f"{scheme}://h:port/x", f"{scheme}://"):
        with pytest.raises(CameraError, match="an URL such as"):
            open_camera(odd)


def test_it_can_wait_for_a_network_camera_to_appear(serve: Serve, free_port: int) -> None:
    threading.Timer(0.6, serve, [mjpeg(), free_port]).start()
    with open_camera(f"http://127.0.0.1:{free_port}/mjpeg", wait=20) as camera:
        assert read_counter(next(iter(camera)).image) is not None


# --- RTSP ---


def test_rtsp_errors_are_told_apart(serve: Serve) -> None:
    with pytest.raises(CameraError, match=r"no such stream \(404\)"):
        open_camera(url("rtsp", serve(rtsp()), "elsewhere"))
    web = serve(answers("200 OK", "text/html", lambda server: b"<html>"))
    with pytest.raises(CameraError, match="does not speak RTSP"):
        open_camera(url("rtsp", web, "stream", options="#stall=1"))


# --- HTTP ---


def test_a_single_picture_is_asked_for_again_and_again(serve: Serve) -> None:
    server = serve(answers("200 OK", "image/jpeg", Server.frame))
    with open_camera(url("http", server, "snapshot.jpg?size=2", options="#fps=40")) as camera:
        numbers = [read_counter(frame.image) for frame in islice(camera, 4)]
    assert all(a < b for a, b in pairwise(numbers))
    assert server.connections >= 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda jpeg: jpeg[: len(jpeg) // 2],
        lambda jpeg: b"",
        lambda jpeg: noise(500),
        lambda jpeg: b"<html>busy</html>",
    ],
    ids=["cut off", "empty", "noise", "text"],
)
def test_a_corrupt_part_is_left_out_and_the_stream_goes_on(serve: Serve, damage) -> None:
    count = 0

    def part(jpeg: bytes) -> bytes:
        nonlocal count
        count += 1
        body = damage(jpeg) if count % 2 else jpeg
        return f"--frame\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n"

    with open_camera(url("http", serve(mjpeg(part)), "mjpeg")) as camera:
        frames = list(islice(camera, 5))
        assert all((read_counter(frame.image) or 0) % 2 == 1 for frame in frames)
        statistics = camera.statistics()
    assert statistics.bad >= 4
    assert statistics.failures == 0


def test_digest_passwords_work(serve: Serve) -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    def talk(server: Server, connection: socket.socket) -> None:
        asked = request_of(connection)
        assert asked is not None
        given = dict(re.findall(r'(\w+)="?([^",]*)', asked[2].get("authorization", "")))
        proof = md5(f"{md5('me:camera:s3cret')}:n0nce:{md5('GET:/snap')}")
        if given.get("response") != proof:
            connection.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n"
                b'WWW-Authenticate: Digest realm="camera", nonce="n0nce"\r\n\r\n'
            )
            return
        data = server.frame()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + data)

    server = serve(talk)
    with open_camera(url("http", server, "snap", "me:s3cret@")) as camera:
        assert read_counter(next(iter(camera)).image) is not None
    with pytest.raises(CameraError, match="password refused"):
        open_camera(url("http", server, "snap", "me:other@"))


def test_a_page_instead_of_a_stream_is_an_error(serve: Serve) -> None:
    page = serve(answers("200 OK", "text/html", lambda server: b"<html>"))
    with pytest.raises(CameraError, match=r"text/html; use the path of the stream itself"):
        open_camera(url("http", page, ""))
    lost = serve(answers("404 Not Found", "text/html", lambda server: b""))
    with pytest.raises(CameraError, match="404 Not Found"):
        open_camera(url("http", lost, ""))


def test_a_camera_is_asked_directly_and_not_through_a_proxy(
    serve: Serve, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    with open_camera(url("http", serve(mjpeg()), "mjpeg")) as camera:
        next(iter(camera))


# --- multipart, in all the ways that cameras write it ---


class Stream:
    """Bytes, as a response gives them."""

    def __init__(self, data: bytes) -> None:
        import io

        self._data = io.BytesIO(data)
        self.readline, self.read = self._data.readline, self._data.read


PICTURES = list(islice(jpegs(64, 64), 3))


def parts_of(data: bytes, boundary: object = "frame", most: int = 1 << 20) -> list[bytes]:
    parts = Parts(Stream(data), boundary, most)
    found = []
    try:
        while True:
            parts.find()
            found.append(parts.read())
    except EOFError:
        return found


@pytest.mark.parametrize("boundary", ["frame", '"frame"', "--frame"])
@pytest.mark.parametrize("length", [True, False], ids=["with length", "without"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b""], ids=["CRLF", "LF", "nothing"])
def test_parts_are_found_however_a_camera_writes_them(boundary, length: bool, end: bytes) -> None:
    data = b"preamble\r\n"
    for picture in PICTURES:
        header = f"Content-Length: {len(picture)}\r\n" if length else "X: y\r\n"
        data += b"--frame\r\nContent-Type: image/jpeg\r\n" + header.encode() + b"\r\n"
        data += picture + end
    assert parts_of(data + b"--frame--\r\n", boundary)[:3] == PICTURES


def test_a_wrong_length_loses_one_part_and_not_the_stream() -> None:
    first, second, third = PICTURES
    for wrong in (len(first) - 20, 5):
        data = f"--frame\r\nContent-Length: {wrong}\r\n\r\n".encode() + first + b"\r\n"
        for picture in (second, third):
            data += (
                f"--frame\r\nContent-Length: {len(picture)}\r\n\r\n".encode() + picture + b"\r\n"
            )
        assert parts_of(data)[1:] == [second, third]


def test_what_never_ends_is_given_up() -> None:
    with pytest.raises(TooLargeError):
        parts_of(noise(5000), most=1000)
    with pytest.raises(TooLargeError):
        parts_of(b"--frame\r\n\r\n" + noise(5000), most=1000)
    with pytest.raises(TooLargeError):
        parts_of(b"--frame\r\nContent-Length: 5000\r\n\r\n", most=1000)
    assert parts_of(b"--frame\r\nContent-Length: 50\r\n\r\nshort") == []
    with pytest.raises(EOFError, match="boundary"):
        Parts(Stream(b""), None, 1000)
