"""The planner `llm`: any server that speaks OpenAI's API plans (Ollama, llama.cpp, vLLM, a cloud).

What the model says is data: it becomes a plan only if it fits the schema and the limits,
and a plan only goes where every plan goes.
"""

from __future__ import annotations

import os
import time
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from reflexarc.robot.plan import Plan
from reflexarc.robot.planners import prompt
from reflexarc.robot.planners.base import PlannerError
from reflexarc.robot.planners.chat import ChatServer, RejectedError
from reflexarc.robot.planners.options import Seconds, read_options

URL_VARIABLE = "REFLEXARC_LLM_URL"
MODEL_VARIABLE = "REFLEXARC_LLM_MODEL"
KEY_VARIABLE = "REFLEXARC_LLM_KEY"
OLLAMA_URL = "http://127.0.0.1:11434/v1"

MAX_RETRIES = 2
_MAX_TOKENS = 600

# How to ask, the strictest first: the response format, and whether sampling is set (some
# models of clouds refuse it). A server that rejects one is asked in the next.
_FORMS: Final = (
    ("json_schema", True),
    ("json_schema", False),
    ("json_object", True),
    ("json_object", False),
    ("text", False),
)


class LlmPlanner:
    """Plans with a language model behind HTTP. Safe to share between threads.

    Args:
        base_url: of the API, with "/v1".
        model: as the server calls it.
        api_key: sent as a bearer token.
        timeout_s: for a whole plan, retries included.
        confidence: of its plans. A model does not know how sure it is, so this is a
            figure of yours: how often it is right (`reflexarc eval-plan`).
    """

    name = "llm"

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 20.0,
        confidence: float = 0.7,
    ) -> None:
        """Checks its address; connects to nothing yet.

        Raises:
            PlannerError: `base_url` is no address.
        """
        self._server = ChatServer(base_url, api_key, KEY_VARIABLE)
        self._model = model
        self._timeout_s = timeout_s
        self._confidence = confidence
        self._form = 0

    def plan(self, text: str) -> Plan:
        """Ask the model.

        Raises:
            PlannerError: no server, no answer in time, or no valid plan after 2 retries.
        """
        known = prompt.without_asking(text, self.name)
        if known is not None:
            return known
        end = time.monotonic() + self._timeout_s
        chat = prompt.messages(prompt.as_order(text))
        fault = ""
        for _ in range(1 + MAX_RETRIES):
            answer = self._ask(chat, end)
            try:
                return prompt.read_answer(answer, planner=self.name, confidence=self._confidence)
            except prompt.AnswerError as error:
                fault = str(error)
            chat += [
                {"role": "assistant", "content": answer[:2000]},
                {
                    "role": "user",
                    "content": f"That is not valid: {fault}. Answer again, JSON only.",
                },
            ]
        raise PlannerError(
            expected=f"a valid plan from {self._model}",
            found=f"none in {1 + MAX_RETRIES} answers: {fault[:300]}",
            remedy="say it in other words, or use a larger model",
        )

    def _ask(self, chat: list[dict[str, str]], end: float) -> str:
        """An answer in the strictest form that the server takes, which is kept in mind."""
        for form in range(self._form, len(_FORMS)):
            left = end - time.monotonic()
            if left <= 0:
                raise PlannerError(
                    expected=f"a valid plan from {self._model} in {self._timeout_s:g} s",
                    found="none",
                    remedy="use a faster or a larger model, or raise the time limit",
                )
            try:
                answer = self._server.complete(self._request(chat, *_FORMS[form]), left)
            except RejectedError:
                if form == len(_FORMS) - 1:
                    raise
                continue
            self._form = form
            return answer
        raise AssertionError("a loop that returns or raises")

    def _request(self, chat: list[dict[str, str]], form: str, sampling: bool) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self._model, "messages": chat}
        if sampling:
            request |= {"temperature": 0, "max_tokens": _MAX_TOKENS}
        if form == "json_schema":
            schema = {"name": "plan", "strict": True, "schema": prompt.answer_schema()}
            request["response_format"] = {"type": form, "json_schema": schema}
        elif form == "json_object":
            request["response_format"] = {"type": form}
        return request


class LlmOptions(BaseModel):
    """What robot.yaml may say of it, under `language.llm`. The key is never in a file."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = OLLAMA_URL
    model: str = ""
    timeout_s: Seconds = 20.0
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.7


def open_llm(**options: Any) -> LlmPlanner:
    """The planner as robot.yaml has it; what it leaves out, REFLEXARC_LLM_URL and _MODEL say.

    The API key is taken from REFLEXARC_LLM_KEY.

    Raises:
        PlannerError: an unknown option or value, or no model is named.
    """
    named = {"base_url": os.environ.get(URL_VARIABLE), "model": os.environ.get(MODEL_VARIABLE)}
    options = {name: value for name, value in named.items() if value} | options
    chosen = read_options(LlmOptions, options)
    if not chosen.model:
        raise PlannerError(
            expected="the name of a model",
            found="none",
            remedy=f"set language.llm.model in robot.yaml or {MODEL_VARIABLE} (e.g. qwen3:4b), "
            f"base_url or {URL_VARIABLE} (default: {OLLAMA_URL}) and, for a cloud, {KEY_VARIABLE}",
        )
    return LlmPlanner(**dict(chosen), api_key=os.environ.get(KEY_VARIABLE) or None)
