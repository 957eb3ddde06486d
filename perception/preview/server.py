"""A preview over HTTP: MJPEG, snapshots, observations, statistics, and a page with all of them.

What nobody looks at is neither drawn nor encoded. Each viewer gets the newest frame when it
is ready for one: a slow one sees fewer, and costs nothing.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reflexarc.perception.preview.page import page
from reflexarc.perception.preview.view import PreviewError, View

if TYPE_CHECKING:
    from typing_extensions import Self

LOOPBACK = "127.0.0.1"
MOST_VIEWERS = 16

_BOUNDARY = "frame"
_STUCK_S = 20.0
"""A viewer that takes nothing for so long is gone."""
_LEAVING_S = 5.0
_SEND_BUFFER = 1 << 17
"""Bytes under way to a viewer: more would be old frames."""


class PreviewServer:
    """Shows views to whoever connects. Frames stay on this machine unless another host is given.

    Paths: ``/`` the page, ``/stream.mjpg``, ``/snapshot.jpg``, ``/observations`` and
    ``/statistics`` (JSON).

    Attributes:
        port: that it listens at.
        url: of the page.
    """

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        """Listen.

        Args:
            port: 0 takes a free one.
            host: an address of this machine; "0.0.0.0" for all of them.

        Raises:
            PreviewError: the port is taken or not allowed, or there is no such address.
        """
        self._changed = threading.Condition()
        self._view: View | None = None
        self._number = 0
        self._encoding = threading.Lock()
        self._ending = False
        self._viewers: set[socket.socket] = set()
        try:
            self._server = _Server(self, host, port)
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise PreviewError(
                expected=f"to serve at {host}:{port}",
                found=said,
                remedy="choose another port, or end what uses it"
                if 0 <= port < 65536
                else "choose a port from 1024 to 65535",
            ) from error
        self.port: int = self._server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        # A web page of somebody else's could make its own name point at 127.0.0.1 and read
        # the camera through the browser (DNS rebinding): that name would be in Host.
        self.only_local = is_loopback(host)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="preview", daemon=True
        )
        self._thread.start()

    def show(self, view: View) -> None:
        """Offer a view to the viewers. Never waits, draws nothing."""
        with self._changed:
            self._view = view
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Send everybody away and stop. Twice is fine."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self._changed:
            for viewer in self._viewers:
                # Whoever waits in a send or for a request wakes up.
                with contextlib.suppress(OSError):
                    viewer.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._viewers, _LEAVING_S)

    def __enter__(self) -> Self:
        """The server itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def newest(self) -> View | None:
        """What was shown last."""
        with self._changed:
            return self._view

    def newer(self, number: int) -> tuple[int, View | None]:
        """Wait for a view after that of this number; None when the server ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._number > number)
            return self._number, None if self._ending else self._view

    def jpeg(self, view: View) -> bytes:
        """The picture, encoded once for all viewers."""
        with self._encoding:
            return view.jpeg

    def enter(self, viewer: socket.socket) -> bool:
        """Whether there is room for one more."""
        with self._changed:
            if self._ending or len(self._viewers) >= MOST_VIEWERS:
                return False
            self._viewers.add(viewer)
            return True

    def leave(self, viewer: socket.socket) -> None:
        """One is gone."""
        with self._changed:
            self._viewers.discard(viewer)
            self._changed.notify_all()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # `close` waits for the viewers; a crash does not

    def __init__(self, preview: PreviewServer, host: str, port: int) -> None:
        self.preview = preview
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's looks up the host's name, which can take seconds; nobody needs it.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A viewer that has gone away is no news.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _STUCK_S

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def handle(self) -> None:
        preview = self.server.preview
        if not preview.enter(self.connection):
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        try:
            super().handle()
        finally:
            preview.leave(self.connection)

    def do_GET(self) -> None:
        if self.server.preview.only_local and not _names_this_machine(self.headers.get("Host")):
            self._answer(b"this preview is for this machine only\n", "text/plain", 403)
            return
        path = self.path.partition("?")[0]
        answer = {
            "/": self._page,
            "/stream.mjpg": self._stream,
            "/snapshot.jpg": self._snapshot,
            "/observations": self._observations,
            "/statistics": self._statistics,
        }.get(path)
        if answer is None:
            self._answer(b"no such page\n", "text/plain", HTTPStatus.NOT_FOUND)
        else:
            answer()

    def _page(self) -> None:
        text = page(self.headers.get("Accept-Language", ""))
        self._answer(text.encode(), "text/html; charset=utf-8", vary="Accept-Language")

    def _snapshot(self) -> None:
        view = self.server.preview.newest()
        if view is None:
            self._answer(b"no frame yet\n", "text/plain", HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._answer(self.server.preview.jpeg(view), "image/jpeg")

    def _observations(self) -> None:
        view = self.server.preview.newest()
        said = [] if view is None else [one.as_dict() for one in view.observations]
        self._json({"frame": view and view.frame.seq, "observations": said})

    def _statistics(self) -> None:
        view = self.server.preview.newest()
        self._json({} if view is None else view.statistics)

    def _json(self, data: Any) -> None:
        self._answer(json.dumps(data, ensure_ascii=False).encode(), "application/json")

    def _stream(self) -> None:
        preview = self.server.preview
        self.close_connection = True
        self._head(f"multipart/x-mixed-replace; boundary={_BOUNDARY}", HTTPStatus.OK)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(f"--{_BOUNDARY}\r\n".encode())
        number = 0
        while True:
            number, view = preview.newer(number)
            if view is None:
                return
            jpeg = preview.jpeg(view)
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            # The boundary after the frame: browsers show a part when they see its end.
            self.wfile.write(head.encode() + jpeg + f"\r\n--{_BOUNDARY}\r\n".encode())

    def _answer(self, body: bytes, kind: str, status: int = HTTPStatus.OK, vary: str = "") -> None:
        self._head(kind, status)
        self.send_header("Content-Length", str(len(body)))
        if vary:
            self.send_header("Vary", vary)
        self.end_headers()
        self.wfile.write(body)

    def _head(self, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        # Other sites' pages may neither embed nor read it.
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("X-Content-Type-Options", "nosniff")

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the user's screen."""


def _names_this_machine(host: str | None) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
