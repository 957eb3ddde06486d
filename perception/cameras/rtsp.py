"""Network cameras that speak RTSP, read by OpenCV's FFmpeg."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar
from urllib.parse import urlunsplit

import cv2
from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, CorruptFrame, Device, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.network import connect, refused_login, url_parts
from reflexarc.perception.cameras.opencv import quiet_opencv, to_rgb
from reflexarc.perception.cameras.source import without_password

_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})")


class Rtsp(Device):
    """Network camera by RTSP, over TCP where it can."""

    USAGE: ClassVar[str] = "rtsp://user:password@host/stream"

    def __init__(
        self,
        address: str,
        *,
        threads: Annotated[int, Field(ge=1, le=16, description="that decode")] = 1,
        clock: Clock = CLOCK,
        stall: float = 5.0,
    ) -> None:
        """Connect and wait for the first picture.

        Raises:
            CameraError: nobody there, no such stream, or a wrong password.
        """
        self._url, self._name = address, without_password(address)
        self._clock, self._stall_s = clock, stall
        default = 322 if address.lower().startswith("rtsps:") else 554
        connect(address, default, stall).close()  # FFmpeg would not say why it fails
        limit_ms = round(stall * 1e3)
        with quiet_opencv():
            # Without more words OpenCV asks FFmpeg for TCP first.
            self._capture = cv2.VideoCapture(
                address,
                cv2.CAP_FFMPEG,
                [
                    *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms),
                    *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms),
                    *(cv2.CAP_PROP_N_THREADS, threads),
                ],
            )
        if not self._capture.isOpened():
            self._capture.release()
            raise self._why()

    def read(self) -> Shot:
        """The next frame, stamped when it arrived.

        Raises:
            CorruptFrame: it cannot be decoded.
            CameraError: the connection ended, or nothing came for `stall` seconds.
        """
        if not self._capture.grab():
            raise CameraError(
                expected=f"frames from {self._name}",
                found="the stream ended, or fell silent",
                remedy="check the camera and the network",
            )
        now_ns = self._clock.now_ns()
        ok, image = self._capture.retrieve()
        if not ok or image is None or not image.size:
            raise CorruptFrame(
                expected=f"a whole frame from {self._name}",
                found="one that cannot be decoded",
                remedy="check the network",
            )
        return Shot(to_rgb(image), now_ns)

    def close(self) -> None:
        """Hang up."""
        self._capture.release()

    def _why(self) -> CameraError:
        status = self._status()
        if status in (401, 403):
            return refused_login(self._url)
        found = {
            None: "something that does not speak RTSP",
            200: "a stream without a picture that can be decoded in time",
            404: "no such stream (404)",
        }.get(status, f"status {status}")
        return CameraError(
            expected=f"a video stream at {self._name}",
            found=found,
            remedy="check the path; the camera's manual has it, or its ONVIF page",
        )

    def _status(self) -> int | None:
        """What the server says to a plain question, without a password."""
        parts = url_parts(self._url)
        plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        question = f"DESCRIBE {plain} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
        try:
            with connect(self._url, 554, self._stall_s) as talk:
                talk.sendall(question.encode())
                answer = _STATUS.match(talk.recv(4096))
        except (OSError, CameraError):
            return None
        return None if answer is None else int(answer[1])
