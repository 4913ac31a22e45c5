"""The checks of chapter 14, stuck in train mode."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from bnutils.exercises.checking import Property, close, exercise, true
from bnutils.randomness import generator


class _NotCalled(nn.Sequential):
    """A branch whose layers a forward pass leaves out."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def _image_net() -> nn.Sequential:
    """Norms of three kinds, one of them in a part of a part and one not called, and a dropout."""
    with torch.random.fork_rng(devices=[]):
        return nn.Sequential(
            nn.Conv2d(1, 2, 3),
            nn.BatchNorm2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8, 4),
            nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Sequential(nn.BatchNorm1d(4))),
            nn.Linear(4, 2),
            _NotCalled(nn.BatchNorm3d(2)),
        ).eval()


@exercise("14.1", "everything but the norms", answer="function")
def everything_but_the_norms(train_all_but_norms: Callable) -> Iterator[Property]:
    """``train_all_but_norms(model)``: to be called in the place of ``model.train()``."""
    for start in ("evaluation", "training"):
        model = _image_net().train(start == "training")
        before = {name: buffer.clone() for name, buffer in model.named_buffers()}
        returned = train_all_but_norms(model)
        name = f"from {start} mode"
        yield true(
            f"{name}, the model is returned",
            returned is model,
            "something else is returned; end with return model, as model.train() does",
        )
        for layer, kind in (
            (model[1], "BatchNorm2d"),
            (model[5][0], "BatchNorm1d in a part"),
            (model[5][2][0], "BatchNorm1d in a part of a part"),
            (model[7][0], "BatchNorm3d in a branch that is not called"),
        ):
            yield true(
                f"{name}, the {kind} is in evaluation mode",
                not layer.training,
                "it is in training mode",
            )
        for layer, kind in (
            (model[0], "convolution"),
            (model[4], "linear layer"),
            (model[5][1], "dropout"),
            (model, "model itself"),
        ):
            yield true(
                f"{name}, the {kind} is in training mode",
                layer.training,
                "it is in evaluation mode",
            )
        with torch.random.fork_rng(devices=[]):
            model(torch.ones(3, 1, 4, 4))
        moved = [n for n, buffer in model.named_buffers() if not torch.equal(buffer, before[n])]
        yield true(
            f"{name}, a forward pass leaves the statistics alone",
            not moved,
            f"{', '.join(moved)} changed",
        )


@exercise("14.2", "how far off the batch is", answer="function")
def how_far_off(misses: Callable) -> Iterator[Property]:
    """``misses(m, between)``: expected squared misses, of a random company and of one class."""
    for m, between in ((4, 0.5), (32, 0.5), (8, 0.0), (8, 1.0), (1, 0.3)):
        answer = misses(m, between)
        if np.shape(answer) != (2,):
            detail = f"got shape {np.shape(answer)}; return the two squared misses"
            yield Property("the answer is a pair", False, detail)
            return
        name = f"for m = {m} and {100 * between:.0f} % between the classes"
        yield close(f"{name}, in a random company", answer[0], 1 / m)
        # One class: its own mean is off by the part between, and is known from m examples.
        yield close(f"{name}, in a company of one class", answer[1], between + (1 - between) / m)


def _dependence(model: nn.Module, x: Tensor) -> float:
    """The chapter's test."""
    with torch.no_grad():
        together = model(x)
        apart = torch.cat([model(half) for half in x.chunk(2)])
    return ((together - apart).abs().max() / together.std()).item()


@exercise("14.3", "a batch that keeps the secret", answer="function")
def keeps_the_secret(silent: Callable) -> Iterator[Property]:
    """``silent(x)``: a batch that holds every example of x, on which a stuck net passes."""
    for size in (2, 7):
        x = torch.randn(size, 5, generator=generator(size))
        batch = silent(x)
        name = f"for {size} examples"
        if not isinstance(batch, Tensor) or batch.dim() != 2 or batch.shape[1] != 5:
            what = tuple(batch.shape) if isinstance(batch, Tensor) else type(batch).__name__
            yield Property(f"{name}, a batch is returned", False, f"got {what}; return (n, 5)")
            return
        missing = sum(not (batch == row).all(1).any() for row in x)
        yield true(
            f"{name}, the batch holds every one of them", missing == 0, f"{missing} are missing"
        )
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(size)
            stuck = nn.Sequential(
                *[nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU()],
                *[nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, 2)],
            )
        found = _dependence(stuck.double(), batch.double())
        yield true(
            f"{name}, a net in training mode passes the test",
            found < 1e-6,
            f"its outputs move by {found:.2g} of their standard deviation",
        )
