"""How the inner loops become machine code, and how many cores they use."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])
Numbers = NDArray[Any]


def compiled(function: F) -> F:
    """The function as machine code that lets other threads run; without a disk cache where no folder for it can be written."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True)(function))


def _unowned(typing: Any, array: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, given[0])
        made.meminfo = cgutils.get_null_value(made.meminfo.type)
        made.parent = cgutils.get_null_value(made.parent.type)
        return made._getvalue()

    return array(array), code


def _prefetch(typing: Any, array: Any, row: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        places = [context.cast(builder, given[1], row, types.intp)] + [context.get_constant(types.intp, 0)] * (kind.ndim - 1)
        made = context.make_array(kind)(context, builder, given[0])
        pointer = cgutils.get_item_pointer(context, builder, kind, made, places, wraparound=False)
        number = ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        called = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        builder.call(called, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, row), code


unowned: Any = intrinsic(_unowned)
"""In compiled code, of an array: the same without an owner, for loops that hand arrays on from one function to the next.

Compiled code counts references to an array's owner, by operations that cost as much as a walk to far memory, wherever an array is unpacked
or passed; nine tenths of a loop's time may go there. The array itself must live on while this one is used."""

prefetch: Any = intrinsic(_prefetch)
"""In compiled code, of an array and a row: asks the processor for the row's memory, which must exist, without waiting for it."""


@compiled
def sort_values(values: Numbers) -> None:
    """Sorts numbers (values,), none of them NaN, where they stand, from the smallest up.

    A heap sort written out, because numpy's sorts compile for seconds, once for each type.
    """
    for place in range(values.shape[0] // 2 - 1, -1, -1):
        _sink(values, place, values.shape[0])
    for last in range(values.shape[0] - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        _sink(values, 0, last)


@compiled
def _sink(values: Numbers, place: int, size: int) -> None:
    value = values[place]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and values[child] < values[child + 1]:
            child += 1
        if values[child] <= value:
            break
        values[place] = values[child]
        place = child
    values[place] = value


def by_rows(function: Callable[..., Any], rows: Any, arguments: tuple[Any, ...], n_jobs: int | None) -> Any:
    """`function(rows, *arguments)` on slices of the rows, one thread each, put together again; every row is computed by itself.

    `n_jobs` as in scikit-learn: None is one, -1 every core.
    """
    workers = min(threads(n_jobs), max(1, len(rows) // 1_000))
    if workers == 1:
        return function(rows, *arguments)
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(lambda part: function(part, *arguments), np.array_split(rows, workers))))


def threads(n_jobs: int | None) -> int:
    """How many threads `n_jobs` asks for: None is one, -1 every core, -2 all but one."""
    if n_jobs is None:
        return 1
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
