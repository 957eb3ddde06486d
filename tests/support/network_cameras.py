"""Network cameras for tests: real servers on a free port of this machine."""

from __future__ import annotations

import base64
import contextlib
import itertools
import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from reflexarc.perception.cameras.synthetic import Synthetic

EOI = b"\xff\xd9"


def jpegs(width: int = 160, height: int = 120) -> Iterator[bytes]:
    """Synthetic frames, whose counter survives."""
    device = Synthetic(size=(width, height), pace="fast")
    while True:
        shot = device.read()
        assert shot is not None
        _, data = cv2.imencode(".jpg", shot.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
        yield data.tobytes()


class Server:
    """Answers each connection in a thread by `talk(server, connection)`, until it is closed.

    Attributes:
        connections: so many came.
        silent: while set, nothing is sent.
        numbers: counters of the frames, over all connections.
    """

    def __init__(self, talk: Callable[[Server, socket.socket], None], port: int = 0) -> None:
        self.connections = 0
        self.silent = threading.Event()
        self.closing = threading.Event()
        self.frames = jpegs()
        self.lock = threading.Lock()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.connections += 1
                outer._open.append(self.request)
                with contextlib.suppress(OSError, ValueError):
                    talk(outer, self.request)

        class Tcp(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._open: list[socket.socket] = []
        self._server = Tcp(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def frame(self) -> bytes:
        with self.lock:
            return next(self.frames)

    def hang_up(self) -> None:
        """End every connection, as a camera that restarts."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        self.closing.set()
        self.hang_up()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def request_of(connection: socket.socket) -> tuple[str, str, dict[str, str]] | None:
    """Method, target and headers (in lower case) of an HTTP or RTSP request."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(1)
        if more == b"$":  # an interleaved packet of the player: skip it
            connection.recv(1)
            (length,) = struct.unpack(">H", connection.recv(2))
            connection.recv(length)
            continue
        if not more:
            return None
        data += more
    first, *rest = data.decode().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = (line.partition(":") for line in rest if line)
    return method, target, {name.lower(): value.strip() for name, _, value in headers}


def let_in(headers: dict[str, str], login: str | None) -> bool:
    wanted = f"Basic {base64.b64encode((login or '').encode()).decode()}"
    return login is None or headers.get("authorization") == wanted


# --- HTTP ---


def mjpeg(
    part: Callable[[bytes], bytes] | None = None,
    *,
    boundary: str = "frame",
    login: str | None = None,
    fps: float = 50.0,
) -> Callable[[Server, socket.socket], None]:
    """A multipart stream. `part` makes what is sent for a frame's JPEG."""

    def whole(jpeg: bytes) -> bytes:
        return (
            (
                f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            ).encode()
            + jpeg
            + b"\r\n"
        )

    def talk(server: Server, connection: socket.socket) -> None:
        asked = request_of(connection)
        if asked is None:
            return
        if not let_in(asked[2], login):
            connection.sendall(
                b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
            b"Content-Type: multipart/x-mixed-replace; boundary=" + boundary.encode() + b"\r\n\r\n"
        )
        while not server.closing.wait(1 / fps):
            if not server.silent.is_set():
                connection.sendall((part or whole)(server.frame()))

    return talk


def answers(status: str, kind: str, body: Callable[[Server], bytes]) -> Callable[..., None]:
    """One answer a connection."""

    def talk(server: Server, connection: socket.socket) -> None:
        if request_of(connection) is not None:
            data = body(server)
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + data)

    return talk


# --- RTSP (RFC 2326), its packets in the same connection (10.12), JPEG in RTP (RFC 2435) ---

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\na=control:track0\r\na=framerate:25\r\n"
)


def rtsp(
    *, path: str = "/stream", login: str | None = None, fps: float = 50.0
) -> Callable[..., None]:
    """A camera with one JPEG stream at `path`."""

    def talk(server: Server, connection: socket.socket) -> None:
        sender: threading.Thread | None = None
        gone = threading.Event()
        try:
            while (asked := request_of(connection)) is not None:
                method, target, headers = asked
                status, more, body = "200 OK", "Session: 1\r\n", ""
                if method != "OPTIONS" and not let_in(headers, login):
                    status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
                elif method == "OPTIONS":
                    more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif path not in target:
                    status = "404 Not Found"
                elif method == "DESCRIBE":
                    more, body = "Content-Type: application/sdp\r\n", SDP
                elif method == "SETUP":
                    more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                answer = f"RTSP/1.0 {status}\r\nCSeq: {headers['cseq']}\r\n{more}"
                connection.sendall(f"{answer}Content-Length: {len(body)}\r\n\r\n{body}".encode())
                if method == "PLAY" and status == "200 OK" and sender is None:
                    sender = threading.Thread(
                        target=_send, args=(server, connection, gone, fps), daemon=True
                    )
                    sender.start()
        finally:
            gone.set()
            if sender is not None:
                sender.join()

    return talk


def _send(server: Server, connection: socket.socket, gone: threading.Event, fps: float) -> None:
    sequence = itertools.count()
    start = time.monotonic()
    with contextlib.suppress(OSError):
        while not gone.wait(1 / fps) and not server.closing.is_set():
            if server.silent.is_set():
                continue
            stamp = round((time.monotonic() - start) * 90_000) & 0xFFFFFFFF
            for payload, is_last in _rtp_jpeg(server.frame()):
                head = struct.pack(
                    ">BBHII", 0x80, 26 | is_last << 7, next(sequence) & 0xFFFF, stamp, 1
                )
                packet = head + payload
                connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)


def _rtp_jpeg(jpeg: bytes) -> Iterator[tuple[bytes, bool]]:
    """Payloads of one frame: its scan in pieces, its quantisation tables in the first."""
    tables = b"".join(
        found[1] for found in re.finditer(rb"\xff\xdb\x00\x43[\x00\x01](.{64})", jpeg, re.DOTALL)
    )
    assert len(tables) == 128
    frame = jpeg.index(b"\xff\xc0")
    height, width = struct.unpack_from(">HH", jpeg, frame + 5)
    assert jpeg[frame + 11] == 0x22, "4:2:0"
    start = jpeg.index(b"\xff\xda")
    scan = jpeg[start + 2 + struct.unpack_from(">H", jpeg, start + 2)[0] : jpeg.rindex(EOI)]
    for at in range(0, len(scan), 1200):
        head = struct.pack(">I", at) + struct.pack(">BBBB", 1, 255, width // 8, height // 8)
        if at == 0:
            head += struct.pack(">BBH", 0, 0, 128) + tables
        yield head + scan[at : at + 1200], at + 1200 >= len(scan)


def noise(size: int) -> bytes:
    return np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
