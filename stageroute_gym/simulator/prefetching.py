"""A hint to the processor to load an entry of an array before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_INTEGER = ir.IntType(32)
# Arguments of LLVM's intrinsic: to read, into the nearest cache, data.
_HINTS = (_INTEGER(0), _INTEGER(3), _INTEGER(1))


def _prefetch(_context: Any, array: Any, index: Any) -> Any:
    """Start to load ``array[index]``, for compiled code; an index outside does no harm.

    Args:
        array: any array.
        index: a tuple with an integer for each axis, not negative.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type = signature.args[0]
        values = context.make_array(array_type)(context, builder, arguments[0])
        indices = cgutils.unpack_tuple(builder, arguments[1])  # type: ignore[no-untyped-call]
        entry = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, array_type, values, indices, wraparound=False
        )
        address = builder.bitcast(entry, ir.IntType(8).as_pointer())
        kinds = (address.type, *(hint.type for hint in _HINTS))
        instruction = builder.module.declare_intrinsic(
            "llvm.prefetch", (address.type,), ir.FunctionType(ir.VoidType(), kinds)
        )
        builder.call(instruction, (address, *_HINTS))
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch: Any = intrinsic(_prefetch)
