"""Eight doubles abreast, for compiled loops: one value of each of eight axons, or lesions, in one register.

For functions compiled with `numba.njit`: there the compiler cannot know that arrays do not
overlap, and so keeps to one axon at a time. Loading whole rows of lanes, computing and storing them says it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, models, overload, register_model

LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
# A product and a sum may become one operation; nothing else is rearranged.
_FLAGS = ("contract", "nsz")


class Lanes(types.Type):  # type: ignore[misc]
    """The type of eight doubles abreast."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES_TYPE = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    """In a register."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any, wide: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), wide.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, array: Any, offset: Any) -> Any:
    """Eight doubles of a contiguous array from a flat offset on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], args[0], args[1], _VECTOR), align=8)

    return LANES_TYPE(array, types.intp), code


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, array: Any, offset: Any, lanes: Any) -> Any:
    """Write eight doubles into a contiguous array from a flat offset on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], args[0], args[1], _VECTOR)
        builder.store(args[2], address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), code


@intrinsic  # type: ignore[untyped-decorator]
def splat(typing: Any, value: Any) -> Any:
    """The same value in each lane."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

    return LANES_TYPE(types.float64), code


@intrinsic  # type: ignore[untyped-decorator]
def greater(typing: Any, a: Any, b: Any) -> Any:
    """The larger in each lane."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[0], args[1])

    return LANES_TYPE(LANES_TYPE, LANES_TYPE), code


@intrinsic  # type: ignore[untyped-decorator]
def lesser(typing: Any, a: Any, b: Any) -> Any:
    """The smaller in each lane."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[0], args[1])

    return LANES_TYPE(LANES_TYPE, LANES_TYPE), code


@intrinsic  # type: ignore[untyped-decorator]
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once where the processor can: the same wherever it stands in a loop."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = get_or_insert_function(
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fmuladd.v{LANES}f64"
        )
        return builder.call(function, args)

    return LANES_TYPE(LANES_TYPE, LANES_TYPE, LANES_TYPE), code


@intrinsic  # type: ignore[untyped-decorator]
def split(typing: Any, lanes: Any, array: Any) -> Any:
    """Each lane without its whole part, which goes into a contiguous array of 32-bit integers."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.VectorType(ir.IntType(32), LANES)
        whole = builder.fptosi(args[0], wide)
        zero = ir.Constant(ir.IntType(64), 0)
        address = _address(context, builder, signature.args[1], args[1], zero, wide)
        builder.store(whole, address, align=4)
        return builder.fsub(args[0], builder.sitofp(whole, _VECTOR))

    return LANES_TYPE(LANES_TYPE, array), code


@intrinsic  # type: ignore[untyped-decorator]
def crossed(typing: Any, old: Any, new: Any, level: Any) -> Any:
    """Whether any lane rose through its level."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        before = builder.fcmp_ordered("<=", args[0], args[2])
        after = builder.fcmp_ordered(">", args[1], args[2])
        mask = builder.bitcast(builder.and_(before, after), ir.IntType(LANES))
        return builder.icmp_unsigned("!=", mask, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(LANES_TYPE, LANES_TYPE, LANES_TYPE), code


@intrinsic  # type: ignore[untyped-decorator]
def transposed(typing: Any, rows: Any) -> Any:
    """The columns of an 8 x 8 array: element k of every row, for each k."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = ir.IntType(64)
        vectors = [
            builder.load(
                _address(
                    context, builder, signature.args[0], args[0], ir.Constant(index, k * LANES), _VECTOR
                ),
                align=8,
            )
            for k in range(LANES)
        ]
        # Exchange blocks of 1, 2 and 4 between rows that far apart.
        for width in (1, 2, 4):
            low = [k if not k & width else k - width + LANES for k in range(LANES)]
            high = [k + width if not k & width else k + LANES for k in range(LANES)]
            for k in range(LANES):
                if not k & width:
                    pair = vectors[k], vectors[k + width]
                    vectors[k] = _shuffled(builder, *pair, low)
                    vectors[k + width] = _shuffled(builder, *pair, high)
        return context.make_tuple(builder, signature.return_type, vectors)

    return types.UniTuple(LANES_TYPE, LANES)(rows), code


def _shuffled(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), order)
    return builder.shuffle_vector(a, b, mask)


def _arithmetic(name: str) -> Callable[..., Any]:
    @intrinsic  # type: ignore[untyped-decorator]
    def operation(typing: Any, a: Any, b: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(args[0], args[1], flags=_FLAGS)

        return LANES_TYPE(LANES_TYPE, LANES_TYPE), code

    return operation  # type: ignore[no-any-return]


_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE = (_arithmetic(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


def _mixed(operator_: Any, operation: Any) -> None:
    """Teach an operator of Python two of lanes, or lanes and one number."""

    @overload(operator_)
    def chosen(a, b):  # type: ignore[no-untyped-def]
        if isinstance(a, Lanes) and isinstance(b, Lanes):
            return lambda a, b: operation(a, b)
        if isinstance(a, Lanes) and isinstance(b, types.Float):
            return lambda a, b: operation(a, splat(b))
        if isinstance(a, types.Float) and isinstance(b, Lanes):
            return lambda a, b: operation(splat(a), b)
        return None


_mixed(operator.add, _arithmetic("fadd"))
_mixed(operator.sub, _arithmetic("fsub"))
_mixed(operator.mul, _arithmetic("fmul"))
_mixed(operator.truediv, _arithmetic("fdiv"))
_mixed(max, greater)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def rows(typing: Any, array: Any, count: Any) -> Any:
    """The first `count` rows of a contiguous (row, lane) array, as a tuple."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, index = signature.args[0], ir.IntType(64)
        offsets = (ir.Constant(index, k * LANES) for k in range(signature.return_type.count))
        found = [
            builder.load(_address(context, builder, kind, args[0], offset, _VECTOR), align=8)
            for offset in offsets
        ]
        return context.make_tuple(builder, signature.return_type, found)

    return types.UniTuple(LANES_TYPE, count.literal_value)(array, count), code


@intrinsic  # type: ignore[untyped-decorator]
def store_rows(typing: Any, array: Any, lanes: Any) -> Any:
    """Write a tuple of lanes into the first rows of a contiguous (row, lane) array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for k in range(lanes.count):
            offset = ir.Constant(ir.IntType(64), k * LANES)
            address = _address(context, builder, array, args[0], offset, _VECTOR)
            builder.store(builder.extract_value(args[1], k), address, align=8)
        return context.get_dummy_value()

    return types.void(array, lanes), code


@intrinsic  # type: ignore[untyped-decorator]
def moved(typing: Any, start: Any, part: Any, change: Any) -> Any:
    """``start + part * change`` for two tuples of lanes and a number."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(undefined, args[1], ir.Constant(ir.IntType(32), 0))
        factor = builder.shuffle_vector(one, undefined, zeros)
        out = [
            builder.fadd(
                builder.extract_value(args[0], k),
                builder.fmul(factor, builder.extract_value(args[2], k), flags=_FLAGS),
                flags=_FLAGS,
            )
            for k in range(start.count)
        ]
        return context.make_tuple(builder, start, out)

    return start(start, types.float64, change), code


@intrinsic  # type: ignore[untyped-decorator]
def exp(typing: Any, power: Any) -> Any:
    """The exponential of a number, or in each lane, one lane after the other."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
        function = get_or_insert_function(builder.module, kind, "llvm.exp.f64")
        if not isinstance(power, Lanes):
            return builder.call(function, args)
        out = args[0]
        for lane in range(LANES):
            position = ir.Constant(ir.IntType(32), lane)
            one = builder.call(function, [builder.extract_element(args[0], position)])
            out = builder.insert_element(out, one, position)
        return out

    return power(power), code
