"""One batch norm, other words: carry a layer between PyTorch, Keras, TensorFlow and Flax.

Four things differ: which of the two averages `momentum` weighs, the default constants, what the
four arrays are called, and which of two variances is stored. Sources, as read in 2026:

* torch: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
* keras: https://github.com/keras-team/keras, keras/src/layers/normalization, version 3
* tf_fused: https://github.com/tensorflow/tensorflow/issues/55545, Keras 2 on TensorFlow's kernel
* flax: https://github.com/google/flax, flax/linen/normalization.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Convention:
    """How a framework speaks of batch norm.

    Attributes
    ----------
    weight, bias, running_mean, running_var : str
        What it calls the four arrays, each of shape (C,).
    epsilon : str
        What it calls the constant under the root.
    default_momentum, default_eps : float
        What a layer gets that says nothing.
    weighs_newest : bool
        Whether `momentum` is the weight of the newest minibatch; else that of the old average.
    stores_unbiased : bool
        Whether a minibatch's variance enters the running average divided by m - 1; else by m.
    """

    weight: str
    bias: str
    running_mean: str
    running_var: str
    epsilon: str
    default_momentum: float
    default_eps: float
    weighs_newest: bool
    stores_unbiased: bool

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Of the four arrays, in the order weight, bias, running mean, running variance."""
        return self.weight, self.bias, self.running_mean, self.running_var


TORCH = Convention(
    weight="weight",
    bias="bias",
    running_mean="running_mean",
    running_var="running_var",
    epsilon="eps",
    default_momentum=0.1,
    default_eps=1e-5,
    weighs_newest=True,
    stores_unbiased=True,
)
KERAS = Convention(
    weight="gamma",
    bias="beta",
    running_mean="moving_mean",
    running_var="moving_variance",
    epsilon="epsilon",
    default_momentum=0.99,
    default_eps=1e-3,
    weighs_newest=False,
    stores_unbiased=False,
)
FLAX = Convention(
    weight="scale",
    bias="bias",
    running_mean="mean",
    running_var="var",
    epsilon="epsilon",
    default_momentum=0.99,
    default_eps=1e-5,
    weighs_newest=False,
    stores_unbiased=False,
)
CONVENTIONS = {
    "torch": TORCH,
    "keras": KERAS,
    "tf_fused": replace(KERAS, stores_unbiased=True),
    "flax": FLAX,
}
_NOT_NEEDED = "num_batches_tracked"  # torch's count of minibatches, which nobody else keeps


def convert_settings(
    settings: Mapping[str, float | None], source: str, target: str
) -> dict[str, float]:
    """The arguments that make a layer of ``target`` behave as one of ``source``.

    Parameters
    ----------
    settings : mapping
        Arguments of the source's layer, by the source's names: momentum and eps or epsilon. What is
        missing is the *source's* default, which the target has to be told.
    source, target : {"torch", "keras", "tf_fused", "flax"}

    Returns
    -------
    dict
        Momentum and epsilon under the target's names, always both.

    Raises
    ------
    ValueError
        If a framework or a setting is unknown, the momentum is not in [0, 1] or the epsilon
        negative, or torch's cumulative average (``momentum=None``) is to go where there is none.
    """
    a, b = _find(source), _find(target)
    if unknown := [name for name in settings if name not in ("momentum", a.epsilon)]:
        raise ValueError(
            f"{source} has no setting {unknown[0]!r}; those that differ between frameworks are "
            f"'momentum' and {a.epsilon!r}"
        )
    momentum = settings.get("momentum", a.default_momentum)
    epsilon = settings.get(a.epsilon, a.default_eps)
    if momentum is None and not (a.weighs_newest and b.weighs_newest):
        raise ValueError(
            "momentum is None, which is torch's average of all minibatches alike; "
            f"{target if a.weighs_newest else source} has only running averages: choose a momentum"
        )
    if momentum is not None and not 0 <= momentum <= 1:
        raise ValueError(f"momentum is {momentum}; a weight must lie from 0 to 1")
    if epsilon is None or epsilon < 0:
        raise ValueError(f"{a.epsilon} is {epsilon}; it must be a number of at least 0")
    if a.weighs_newest != b.weighs_newest and momentum is not None:
        momentum = round(1 - momentum, 12)  # 1 - 0.99 is 0.010000000000000009
    return {"momentum": momentum, b.epsilon: epsilon}


def convert_arrays(
    arrays: Mapping[str, ArrayLike], source: str, target: str, *, m: int | None = None
) -> dict[str, np.ndarray]:
    """A layer's arrays under the target's names.

    Evaluation needs nothing else: with the source's epsilon (`convert_settings`) the target's layer
    computes the same function. The variance is therefore copied as it is, even where the two store
    another one, unless you ask otherwise.

    Parameters
    ----------
    arrays : mapping of str to array_like, shape (C,)
        By the source's names; weight and bias may be missing where the layer has none. Torch's
        ``num_batches_tracked`` is left out.
    source, target : {"torch", "keras", "tf_fused", "flax"}
    m : int, optional
        How many values each training minibatch had per channel. With it the variance becomes the
        one that ``target`` would have stored: m - 1 in the place of m, or the reverse. That is for
        going on with the training, and changes the function that evaluation computes.

    Returns
    -------
    dict of str to array, shape (C,)

    Raises
    ------
    ValueError
        If a name is unknown or a statistic missing, shapes differ, a variance is negative, or m is
        no whole number of at least 2.
    """
    a, b = _find(source), _find(target)
    given = {name: _array(value) for name, value in arrays.items() if name != _NOT_NEEDED}
    if unknown := [name for name in given if name not in a.names]:
        raise ValueError(f"{source} has no array {unknown[0]!r}; it has {', '.join(a.names)}")
    if missing := [name for name in (a.running_mean, a.running_var) if name not in given]:
        raise ValueError(f"there is no {missing[0]!r}; a layer without statistics cannot be moved")
    shape = given[a.running_mean].shape
    for name, array in given.items():
        if array.ndim != 1 or array.shape != shape:
            raise ValueError(
                f"{name!r} has shape {array.shape} and {a.running_mean!r} {shape}; each must hold "
                "one number per channel"
            )
    if (given[a.running_var] < 0).any():
        raise ValueError(
            f"{a.running_var!r} is negative somewhere; is it a standard deviation's logarithm?"
        )
    if m is not None and (m != int(m) or m < 2):
        raise ValueError(f"m is {m}; a minibatch with a variance has at least 2 values per channel")

    moved = {new: given[old] for old, new in zip(a.names, b.names, strict=True) if old in given}
    if m is not None and a.stores_unbiased != b.stores_unbiased:
        factor = m / (m - 1) if b.stores_unbiased else (m - 1) / m
        moved[b.running_var] = moved[b.running_var] * factor
    return moved


def _find(name: str) -> Convention:
    if name not in CONVENTIONS:
        raise ValueError(f"no convention {name!r}; there are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def _array(value: ArrayLike) -> np.ndarray:
    """A copy, in the value's own precision; tensors on any device will do."""
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
