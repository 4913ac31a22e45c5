"""The bytes that operations move, counted against what can be counted by hand."""

import pytest
import torch

from bnutils.speed.traffic import Traffic

N = 1000
x = torch.ones(N, 4)
SIZE = 4 * x.numel()
CHANNELS = 4 * 4  # bytes of a number per channel


def moved(call):
    with Traffic() as traffic:
        call()
    return traffic.bytes


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: x.exp(), 2 * SIZE),
        (lambda: x + x, 3 * SIZE),
        (lambda: x.mean(0), SIZE + CHANNELS),
        (lambda: x - x.mean(0), SIZE + CHANNELS + 2 * SIZE + CHANNELS),
        (lambda: torch.empty_like(x).copy_(x), 2 * SIZE),
        (lambda: x.half(), SIZE + SIZE // 2),
        (lambda: torch.empty_like(x), 0),
        (lambda: x.view(-1).unsqueeze(0).t().expand(-1, 7), 0),
        (lambda: x[:, :1].expand(-1, 4).exp(), SIZE // 4 + SIZE),
    ],
    ids=[
        "one in, one out",
        "two in",
        "a sum",
        "a sum and a difference",
        "a copy",
        "another format",
        "nothing is written",
        "views",
        "what is expanded lies in memory once",
    ],
)
def test_bytes_of_an_operation(call, expected):
    assert moved(call) == expected


def test_an_operation_in_place_reads_and_writes():
    y = torch.ones(N)
    assert moved(lambda: y.mul_(2)) == 8 * N
    assert moved(lambda: y.zero_()) == 4 * N


def test_the_backward_pass_counts():
    y = torch.ones(N, requires_grad=True)

    def call():
        torch.autograd.grad(y.exp(), y, torch.ones(N))

    with Traffic() as traffic:
        call()
    # ones are written; exp reads and writes; backward reads the output and dy, and writes dy.
    assert traffic.bytes == 4 * N * (1 + 2 + 3)
    assert traffic.by_operation == {"ones": 4 * N, "exp": 8 * N, "mul": 12 * N}


def test_the_native_batch_norm_moves_each_tensor_once():
    y = torch.randn(64, 8, 16, 16, requires_grad=True)
    dy = torch.randn(64, 8, 16, 16)
    layer = torch.nn.BatchNorm2d(8)
    with Traffic() as traffic:
        torch.autograd.grad(layer(y), [y, *layer.parameters()], dy)
    assert traffic.bytes / (4 * y.numel()) == pytest.approx(5, rel=0.01)


def test_nothing_counts_after_the_block():
    with Traffic() as traffic:
        pass
    x.exp()
    assert traffic.bytes == 0
