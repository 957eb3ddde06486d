"""Two things that asyncio needs many words for."""

from __future__ import annotations

import asyncio
from typing import Any


async def first_of(*futures: asyncio.Future[Any], seconds: float | None = None) -> None:
    """Wait until one of them is done, or the time is over; none is cancelled."""
    await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def cancel(*futures: asyncio.Future[Any]) -> None:
    """Cancel them and wait until they have ended, however they do."""
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
