"""Network cameras and phones that speak HTTP: a stream of JPEGs, or one JPEG at a time."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Annotated, ClassVar
from urllib.parse import unquote, urlunsplit

from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, CorruptFrame, Device, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.multipart import Parts, TooLargeError
from reflexarc.perception.cameras.network import refused_login, unreachable, url_parts
from reflexarc.perception.cameras.picture import decode_picture
from reflexarc.perception.cameras.source import without_password

_LARGEST = 32 << 20  # bytes of one picture


class Http(Device):
    """MJPEG stream (multipart), or a single picture that is asked for again and again."""

    USAGE: ClassVar[str] = "http://user:password@host/mjpeg"

    def __init__(
        self,
        address: str,
        *,
        fps: Annotated[
            float, Field(gt=0, le=100, description="how often a single picture is asked for")
        ] = 5.0,
        verify: Annotated[
            bool, Field(description="0: take any certificate (https), as cameras make their own")
        ] = True,
        clock: Clock = CLOCK,
        stall: float = 5.0,
    ) -> None:
        """Connect.

        Raises:
            CameraError: nobody there, a wrong password, or no pictures there.
        """
        parts = url_parts(address)
        self._name = without_password(address)
        self._address = address
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._clock, self._stall_s, self._pause_s = clock, stall, 1 / fps
        self._woken = threading.Event()
        self._open = _opener(self._url, parts.username, parts.password, verify)
        self._answer = self._ask()
        kind = self._answer.headers.get_content_type()
        self._parts: Parts | None = None
        if kind.startswith("multipart/"):
            boundary = self._answer.headers.get_param("boundary")
            try:
                self._parts = Parts(self._answer, boundary, _LARGEST)
            except EOFError as error:
                self._answer.close()
                raise self._ended(str(error)) from error
        elif not kind.startswith("image/"):
            self._answer.close()
            raise CameraError(
                expected=f"a stream of pictures (multipart) or a picture at {self._name}",
                found=kind,
                remedy="use the path of the stream itself, not of the page that shows it",
            )
        self._next_ns = clock.now_ns()

    def read(self) -> Shot:
        """The next picture, stamped when its first bytes arrived.

        Raises:
            CorruptFrame: it is none, or is cut off.
            CameraError: the connection ended, or nothing came for `stall` seconds.
        """
        try:
            data, stamp_ns = self._part() if self._parts is not None else self._picture()
        except TooLargeError as error:
            raise self._ended(str(error)) from error
        except (OSError, HTTPException, EOFError) as error:
            raise self._ended(str(error) or type(error).__name__) from error
        image, fault = decode_picture(data)
        if image is None:
            raise CorruptFrame(expected=f"a picture from {self._name}", found=fault, remedy="")
        return Shot(image, stamp_ns)

    def close(self) -> None:
        """Hang up."""
        self._answer.close()

    def interrupt(self) -> None:
        """End the pause between two pictures."""
        self._woken.set()

    def _part(self) -> tuple[bytes, int]:
        assert self._parts is not None
        self._parts.find()
        stamp_ns = self._clock.now_ns()
        return self._parts.read(), stamp_ns

    def _picture(self) -> tuple[bytes, int]:
        if self._answer.closed:
            self._clock.sleep((self._next_ns - self._clock.now_ns()) * 1e-9, self._woken)
            self._answer = self._ask()
        stamp_ns = self._clock.now_ns()
        self._next_ns = stamp_ns + round(self._pause_s * 1e9)
        with self._answer as answer:
            data = answer.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise TooLargeError(_LARGEST)
        return data, stamp_ns

    def _ask(self) -> HTTPResponse:
        try:
            answer: HTTPResponse = self._open.open(self._url, timeout=self._stall_s)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (401, 403):
                raise refused_login(self._address) from error
            raise CameraError(
                expected=f"a camera at {self._name}",
                found=f"{error.code} {error.reason}",
                remedy="check the path; the camera's manual has it",
            ) from error
        except urllib.error.URLError as error:
            cause = error.reason
            raise unreachable(
                self._address, self._port, cause if isinstance(cause, OSError) else OSError(cause)
            ) from error
        except (OSError, HTTPException) as error:
            raise unreachable(self._address, self._port, OSError(str(error))) from error
        return answer

    def _ended(self, found: str) -> CameraError:
        return CameraError(
            expected=f"pictures from {self._name}",
            found=f"the stream ended or fell silent ({found})",
            remedy="check the camera and the network",
        )


class _HangUp(urllib.request.BaseHandler):
    """Closes an answer that asks for a password, which the handlers after it leave open."""

    handler_order = 100

    def http_error_401(self, request: object, answer: HTTPResponse, *rest: object) -> None:
        answer.close()


def _opener(
    url: str, user: str | None, password: str | None, verify: bool
) -> urllib.request.OpenerDirector:
    """For one camera: with its password, straight to it and never through a proxy."""
    context = ssl.create_default_context() if url.startswith("https:") else None
    if context is not None and not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if user is not None:
        passwords.add_password(None, url, unquote(user), unquote(password or ""))
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context),
        _HangUp(),
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
    )
