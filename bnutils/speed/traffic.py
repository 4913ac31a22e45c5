"""How many bytes of memory eager code moves: what every operation reads and writes, added up.

    with Traffic() as traffic:
        layer(x).sum().backward()
    traffic.bytes

An operation of PyTorch reads each of its inputs from memory once and writes its outputs there. That
is exact for operations element by element and for sums. An operation that goes over its input
several times, such as the native batch norm, counts as if it went once: the count is a lower bound.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# These overwrite their first argument without having read it.
_OVERWRITES = ("copy_", "fill_", "zero_")
# And these return memory that nothing was written to, or another view without saying so.
_WRITES_NOTHING = ("empty", "empty_like", "empty_strided", "new_empty", "_unsafe_view")


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write while the block lasts, backward included.

    Attributes
    ----------
    bytes : int
        Of all operations together.
    by_operation : Counter
        Bytes by the operation's name, such as ``"mul"``.
    """

    def __init__(self):
        super().__init__()
        self.by_operation: Counter[str] = Counter()

    @property
    def bytes(self) -> int:
        return sum(self.by_operation.values())

    def __torch_dispatch__(
        self,
        func: Callable,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if _is_view(func) or name in _WRITES_NOTHING:
            return output
        read = args[1:] if name in _OVERWRITES else args
        self.by_operation[name] += _size(read) + _size(kwargs or {}) + _size(output)
        return output


def _is_view(func: Callable) -> bool:
    """Whether the outputs share memory with an input that is not written to: nothing moves."""
    aliases = [a.alias_info for a in func._schema.arguments if a.alias_info is not None]
    return any(not alias.is_write for alias in aliases)


def _size(tree: Any) -> int:
    """Bytes of all tensors in a structure; what is expanded lies in memory only once."""
    total = 0
    for tensor in tree_leaves(tree):
        if isinstance(tensor, Tensor):
            dimensions = zip(tensor.shape, tensor.stride(), strict=True)
            numbers = torch.Size(n if stride else 1 for n, stride in dimensions).numel()
            total += numbers * tensor.element_size()
    return total
