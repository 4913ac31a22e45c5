"""How long the weights of a layer's units are, and by what angle they turn.

Before batch norm only the direction of a unit's weights counts. `Turning` records both parts:

    runs.fit(..., record=Turning(runs, "net.0", "net.3"), every=1)
    runs.history.values["angle"]        # records, runs, layers
"""

import torch
from torch import Tensor, nn


def angles(before: Tensor, after: Tensor) -> Tensor:
    """The angles between vectors, in radians, accurate for small ones too.

    Parameters
    ----------
    before, after : Tensor
        Shape (..., n), of any lengths but 0.

    Returns
    -------
    Tensor
        Shape (...), from 0 to π.
    """
    chord = nn.functional.normalize(after, dim=-1) - nn.functional.normalize(before, dim=-1)
    # The arc cosine of an inner product would lose half of the digits of a small angle.
    return 2 * torch.asin((torch.linalg.vector_norm(chord, dim=-1) / 2).clamp(max=1))


class Turning:
    """Records lengths and angles of the weights of stacked linear layers; a ``record`` for `fit`.

    Each call returns a dictionary of two tensors of shape (S, layers): ``length``, the root mean
    square over the layer's units of the lengths of their weights, and ``angle``, the same of the
    angles, in radians, by which they turned since the call before (NaN in the first).

    Parameters
    ----------
    net : Module
        The stacked net, `bnutils.seeds.Runs`.
    *layers : str
        Its linear layers, as ``net.named_modules()`` calls them, such as "net.0".

    Raises
    ------
    ValueError
        If a layer is not there, or its weights do not have the shape (S, out, in).
    """

    def __init__(self, net: nn.Module, *layers: str):
        modules = dict(net.named_modules())
        for name in layers:
            weight = getattr(modules.get(name), "weight", None)
            if weight is None or weight.dim() != 3:
                raise ValueError(f"{name!r} is no stacked linear layer of this net")
        if not layers:
            raise ValueError("name at least one layer, such as 'net.0'")
        self.weights = [modules[name].weight for name in layers]
        self.before: list[Tensor] | None = None

    @torch.no_grad()
    def __call__(self, net: nn.Module) -> dict[str, Tensor]:
        now = [weight.clone() for weight in self.weights]
        lengths = [torch.linalg.vector_norm(weight, dim=-1) for weight in now]
        if self.before is None:
            turned = [torch.full_like(length, torch.nan) for length in lengths]
        else:
            turned = [angles(*pair) for pair in zip(self.before, now, strict=True)]
        self.before = now
        return {
            name: torch.stack([each.square().mean(1).sqrt() for each in values], dim=1).cpu()
            for name, values in (("length", lengths), ("angle", turned))
        }
