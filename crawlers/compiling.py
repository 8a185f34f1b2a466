"""How the inner loops become machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code that lets other threads run; without a disk cache where no folder for it can be written.

    The compiler is loaded by the first call: whoever only fetches pages never needs it. One such function cannot call another.
    """

    @cache
    def kernel() -> Callable[P, R]:
        import numba  # noqa: PLC0415 - half a second, and scipy with it

        try:
            made: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
        except RuntimeError:
            made = numba.njit(nogil=True)(function)
        return made

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        return kernel()(*arguments, **named)

    return called
