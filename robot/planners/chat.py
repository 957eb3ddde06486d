"""One chat completion from a server that speaks OpenAI's HTTP API, within a time.

Standard library only: the clients that exist bound each read, not the whole answer, and
a server that trickles a byte a second would hold the robot for hours.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from reflexarc.robot.planners.base import PlannerError

MAX_ANSWER_BYTES = 1_000_000


class RejectedError(PlannerError):
    """The server does not take this form of request (400, 422, ...): another may do."""


@dataclass(frozen=True)
class ChatServer:
    """Where to ask: `base_url` up to and with "/v1", as OpenAI's clients have it."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    key_name: str = "the API key"
    """What a remedy calls the key."""

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            PlannerError: not an http or https URL with a host.
        """
        try:
            url = urlsplit(self.base_url)
            good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            good = False
        if not good:
            raise PlannerError(
                expected="a base_url like http://127.0.0.1:11434/v1",
                found=repr(self.base_url[:200]),
                remedy="give the URL of the server's OpenAI-compatible API",
            )
        key = self.api_key or ""
        if not key.isascii() or not key.isprintable():
            raise PlannerError(
                expected=f"an API key of printable ASCII characters in {self.key_name}",
                found="other characters",
                remedy="copy the key again",
            )

    def complete(self, request: dict[str, Any], timeout_s: float) -> str:
        """The text of the first choice of POST /chat/completions.

        Args:
            timeout_s: for everything: name, connection, every byte of the answer.

        Raises:
            RejectedError: status 400, 415, 422, 500 or 501.
            PlannerError: everything else that is no answer.
        """
        exchange = _Exchange(self, json.dumps(request).encode(), timeout_s)
        thread = threading.Thread(target=exchange.run, name="chat", daemon=True)
        thread.start()
        thread.join(timeout_s)
        if thread.is_alive() or isinstance(exchange.error, TimeoutError):
            exchange.abort()
            raise PlannerError(
                expected=f"an answer from {self.base_url} in {timeout_s:.3g} s",
                found="none",
                remedy="use a smaller model or a nearer server, or raise the time limit",
            )
        if exchange.error is not None:
            raise self._unreachable(exchange.error)
        if exchange.status != 200:
            raise self._status_error(exchange.status, exchange.body)
        if len(exchange.body) > MAX_ANSWER_BYTES:
            raise self._no_completion(f"more than {MAX_ANSWER_BYTES:,} bytes")
        return self._content(exchange.body)

    def _content(self, body: bytes) -> str:
        try:
            content = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            shown = body[:80].decode("utf-8", "replace")
            raise self._no_completion(repr(shown) if body else "nothing") from None
        if content is None:  # a refusal, or a call of a tool that we did not offer
            return ""
        if not isinstance(content, str):
            raise self._no_completion(f"a content of type {type(content).__name__}")
        return content

    def _no_completion(self, found: str) -> PlannerError:
        return PlannerError(
            expected=f"a chat completion from {self.base_url}",
            found=found,
            remedy="give the base_url of an OpenAI-compatible API; it mostly ends in /v1",
        )

    def _unreachable(self, error: Exception) -> PlannerError:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        return PlannerError(
            expected=f"a server at {self.base_url}",
            found=found or type(error).__name__,
            remedy="start it (`ollama serve`, `llama-server -m FILE`, `vllm serve NAME`), "
            "or correct base_url",
        )

    def _status_error(self, status: int, body: bytes) -> PlannerError:
        reason = http.client.responses.get(status, "")
        kind = PlannerError
        if status in (401, 403):
            remedy = f"put a valid key into {self.key_name}"
        elif status == 404:
            remedy = f"check base_url and model; {self.base_url}/models lists what it has"
        elif status == 429:
            remedy = "wait a little, or raise the limit of your account"
        elif 300 <= status < 400:
            remedy = "give the base_url that it redirects to; the key is not sent on"
        elif status in (400, 415, 422, 500, 501):
            kind, remedy = RejectedError, "look into the server's log"
        else:
            remedy = "look into the server's log, or try again later"
        return kind(
            expected=f"a chat completion from {self.base_url}",
            found=" ".join(f"HTTP {status} {reason} {_server_says(body)}".split()),
            remedy=remedy,
        )


def _server_says(body: bytes) -> str:
    """The message in a server's error, if it is one that can be shown."""
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(body)
        error = answer.get("error", answer) if isinstance(answer, dict) else answer
        said = error.get("message", "") if isinstance(error, dict) else error
        if isinstance(said, str):
            shown = "".join(char if char.isprintable() else " " for char in said)
            return f"({shown[:200]})" if shown.strip() else ""
    return ""


class _Exchange:
    """One request and its answer, in a thread that can be left behind."""

    def __init__(self, server: ChatServer, body: bytes, timeout_s: float) -> None:
        self.status = 0
        self.body = b""
        self.error: Exception | None = None
        self._socket: socket.socket | None = None
        self._request = body
        self._connection, self._target = _connection(urlsplit(server.base_url), timeout_s)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if server.api_key:
            self._headers["Authorization"] = f"Bearer {server.api_key}"

    def run(self) -> None:
        try:
            self._connection.connect()
            self._socket = self._connection.sock  # the connection forgets it while it reads
            self._connection.request("POST", self._target, self._request, self._headers)
            with self._connection.getresponse() as response:
                self.status = response.status
                self.body = response.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.error = error
        finally:
            self._connection.close()

    def abort(self) -> None:
        """End the thread's waiting: its socket is shut under it."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _connection(url: SplitResult, timeout_s: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection to a server, through the proxy that the environment names, and the target.

    The timeout is that of one read or of connecting; complete() bounds the whole.
    """
    assert url.hostname  # ChatServer has checked it
    target = url.path.rstrip("/") + "/chat/completions"
    proxy = None
    if not urllib.request.proxy_bypass(url.hostname):
        proxy = urlsplit(urllib.request.getproxies().get(url.scheme, ""))
    host, port = (proxy.hostname, proxy.port) if proxy and proxy.hostname else (url.hostname, None)
    if url.scheme == "https":
        secure = http.client.HTTPSConnection(
            host, port or url.port, timeout=timeout_s, context=ssl.create_default_context()
        )
        if host != url.hostname:
            secure.set_tunnel(url.hostname, url.port or 443)
        return secure, target
    if host != url.hostname:
        target = f"http://{url.netloc}{target}"
    return http.client.HTTPConnection(host, port or url.port or 80, timeout=timeout_s), target
