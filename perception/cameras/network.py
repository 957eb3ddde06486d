"""What cameras behind an URL share: is there anybody, and who may look."""

from __future__ import annotations

import socket
from urllib.parse import SplitResult, urlsplit

from reflexarc.perception.cameras.base import CameraError
from reflexarc.perception.cameras.source import without_password


def url_parts(url: str) -> SplitResult:
    """An URL taken apart.

    Raises:
        CameraError: it has no host, or a port that is none.
    """
    try:
        parts = urlsplit(url)
        if parts.hostname and (parts.port is None or parts.port):
            return parts
        found = "one without a host"
    except ValueError as error:
        found = str(error)
    raise CameraError(
        expected="an URL such as rtsp://192.168.1.20:554/stream",
        found=f"{without_password(url)}: {found}",
        remedy="write host and path of the camera",
    )


def connect(url: str, default_port: int, limit_s: float) -> socket.socket:
    """A connection to the host of an URL.

    Raises:
        CameraError: no such host, nothing there, or no answer in time.
    """
    parts = url_parts(url)
    host, port = parts.hostname, parts.port or default_port
    try:
        return socket.create_connection((host or "", port), timeout=limit_s)
    except OSError as error:
        raise unreachable(url, port, error) from error


def unreachable(url: str, port: int, error: OSError) -> CameraError:
    """The error for a host that does not answer."""
    host = url_parts(url).hostname
    if isinstance(error, socket.gaierror):
        found, remedy = f"no host named {host}", "check the name, or use its number"
    elif isinstance(error, ConnectionRefusedError):
        found, remedy = f"nothing listens on {host}:{port}", "check the port; switch the stream on"
    else:
        found = f"no answer from {host}:{port} ({error})"
        remedy = "check the network and the camera"
    return CameraError(expected=f"a camera at {without_password(url)}", found=found, remedy=remedy)


def refused_login(url: str) -> CameraError:
    """The error for a camera that wants a password, or another one."""
    given = url_parts(url).username is not None
    return CameraError(
        expected=f"to be let in at {without_password(url)}",
        found="user name or password refused" if given else "it asks for a user name and password",
        remedy="write them before the host: ://user:password@host (%40 for an @ in them)",
    )
