"""Forward and backward through batch norm: ours and the naive one against torch's, and compiled.

    python -m tools.bench layer             a table for the CPU and, where there is one, for CUDA
    python -m tools.bench layer --quick     few rounds, and nothing compiled

All ways take the same minibatch and the same gradient; before the clock starts, their outputs and
gradients are held equal to torch's. Times are taken in turns, and every ratio is one of times of
the same round: median [smallest, largest]. "Copies" is the time over that of copying the input. On
the CPU one thread runs. ``python -m tools.record`` writes the same to recorded/layer_speed.json.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import torch
from torch import Tensor, nn

from bnutils import folding, layers
from bnutils.randomness import generator
from bnutils.speed import roofline, timing

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
TORCHS = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}
OURS = {2: layers.BatchNorm1d, 4: layers.BatchNorm2d}


class Naive(nn.Module):
    """The formulas of chapter 2, one operation after the other; autograd derives the rest."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        channel = (1, -1, *[1] * (x.dim() - 2))
        axes = [0, *range(2, x.dim())]
        mean = x.mean(axes, keepdim=True)
        variance = (x - mean).square().mean(axes, keepdim=True)
        x_hat = (x - mean) / torch.sqrt(variance + self.eps)
        return self.weight.view(channel) * x_hat + self.bias.view(channel)


LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "native": lambda dimensions, channels: TORCHS[dimensions](channels),
    "ours": lambda dimensions, channels: OURS[dimensions](channels),
    "naive": lambda dimensions, channels: Naive(channels),
}
CASES = [
    ((256, 512), "contiguous"),
    ((64, 64, 32, 32), "contiguous"),
    ((64, 64, 32, 32), "channels_last"),
]


def forward_backward(layer: nn.Module, x: Tensor, dy: Tensor) -> tuple[Tensor, ...]:
    """The output, then the gradients of input, weight and bias."""
    y = layer(x)
    return y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], dy)


class Row:
    """One way of doing one case."""

    def __init__(self, layer: str, module: nn.Module, x: Tensor, dy: Tensor, **about):
        self.about = {"layer": layer, "relu": False, "dtype": "float32", "compiled": False} | about
        self.module, self.x, self.dy = module, x, dy

    @property
    def is_torchs_as_it_comes(self) -> bool:
        layer, dtype, compiled = (self.about[key] for key in ("layer", "dtype", "compiled"))
        return layer == "native" and dtype == "float32" and not compiled

    def __call__(self) -> tuple[Tensor, ...]:
        return forward_backward(self.module, self.x, self.dy)


def rows(
    shape: tuple[int, ...], memory_format: str, device: torch.device, compiled: bool
) -> list[Row]:
    """All ways of doing a case; the first is torch's layer as it comes."""

    def tensor(seed: int) -> Tensor:
        drawn = torch.randn(shape, generator=generator(seed)).to(device)
        return drawn.contiguous(memory_format=FORMATS[memory_format])

    def module(name: str, relu: bool = False) -> nn.Module:
        made = LAYERS[name](len(shape), shape[1]).to(device)
        return nn.Sequential(made, nn.ReLU()) if relu else made

    x, dy = tensor(1).requires_grad_(), tensor(2)
    found = [Row(name, module(name), x, dy) for name in LAYERS]
    if len(shape) == 4:
        found += [Row(n, module(n, relu=True), x, dy, relu=True) for n in ("native", "ours")]
        for name, dtype in DTYPES.items():
            half = x.detach().to(dtype).requires_grad_()
            found.append(Row("native", module("native"), half, dy.to(dtype), dtype=name))
    if compiled:
        found += [_compiled(row) for row in found if row.about["dtype"] == "float32"]
    return found


def _compiled(row: Row) -> Row:
    made = Row(
        module=torch.compile(row.module, dynamic=False),
        x=row.x,
        dy=row.dy,
        **row.about | {"compiled": True},
    )
    start = time.perf_counter()
    made()
    timing.synchronize(row.x.device)
    made.about["seconds of the first call"] = round(time.perf_counter() - start, 1)
    # Where the compiler cannot follow the code, it falls back to Python and nothing is fused.
    made.about["graph breaks"] = torch._dynamo.explain(row.module)(row.x).graph_break_count
    return made


def check_equal(found: Sequence[Row]) -> None:
    """Raise an AssertionError if a way gives another result than torch's layer does."""
    references = [row for row in found if row.is_torchs_as_it_comes]
    expected = {row.about["relu"]: row() for row in references}
    for row in found:
        coarse = row.about["dtype"] != "float32"
        for name, got, wanted in zip(
            ("output", "dx", "dweight", "dbias"), row(), expected[row.about["relu"]], strict=True
        ):
            # A gradient of a parameter is a sum over the minibatch: its rounding grows with it.
            size = max(wanted.abs().max().item(), 1.0)
            torch.testing.assert_close(
                got.float() / size,
                wanted / size,
                rtol=0,
                atol=0.05 if coarse else 1e-3,
                msg=lambda text, name=name, row=row: f"{name} of {row.about}: {text}",
            )


def measure_case(
    shape: tuple[int, ...], memory_format: str, device: torch.device, rounds: int, compiled: bool
) -> list[dict]:
    """Milliseconds, and the ratios to torch's layer and to a copy of the input."""
    with compiler_to_itself():
        found = rows(shape, memory_format, device, compiled)
        check_equal(found)
        x = found[0].x.detach()
        target = torch.empty_like(x)
        calls: dict[str, Callable] = {"copy": lambda: target.copy_(x)}
        times = timing.in_turns(
            calls | {str(i): row for i, row in enumerate(found)}, rounds, device
        )
        torch.compiler.reset()  # it keeps a limited number of compiled layers, then gives up
    of_case = {"shape": list(shape), "memory_format": memory_format}
    return [
        of_case
        | row.about
        | {
            "milliseconds": _short(1000 * statistics.median(times[str(i)])),
            "over native": _ratios(times[str(i)], times["0"]),
            "copies": _ratios(times[str(i)], times["copy"]),
        }
        for i, row in enumerate(found)
    ]


def measure_folding(device: torch.device, rounds: int) -> list[dict]:
    """In evaluation: a convolution followed by batch norm, over the two folded into one."""
    x = torch.randn(64, 64, 32, 32, generator=generator(1)).to(device)
    found = []
    for kernel in (1, 3):
        conv = nn.Conv2d(64, 64, kernel, padding=kernel // 2, bias=False)
        pair = nn.Sequential(conv, nn.BatchNorm2d(64)).to(device).eval()
        folded = folding.fold(*pair)
        with torch.no_grad():
            torch.testing.assert_close(folded(x), pair(x), rtol=1e-3, atol=1e-3)
            times = timing.in_turns(
                {"pair": lambda p=pair: p(x), "folded": lambda f=folded: f(x)}, rounds, device
            )
        found.append(
            {
                "kernel": kernel,
                "milliseconds, folded": _short(1000 * statistics.median(times["folded"])),
                "pair over folded": _ratios(times["pair"], times["folded"]),
            }
        )
    return found


def measure(device: torch.device, rounds: int = 9, compiled: bool = True) -> dict:
    """Everything that is measured on a device; on the CPU with one thread."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        dtypes = {"float32": torch.float32} | (DTYPES if device.type == "cuda" else {})
        peaks = {name: roofline.peak(device, dtype) for name, dtype in dtypes.items()}
        found = {
            "threads": torch.get_num_threads(),
            "bytes per second": _short(roofline.bandwidth(device)),
            "operations per second": {name: _short(rate) for name, rate in peaks.items()},
            "rows": [],
        }
        for shape, memory_format in CASES:
            case = measure_case(shape, memory_format, device, rounds, compiled)
            found["rows"] += case
            print("\n".join(line(row) for row in case), flush=True)
        return found | {"folding": measure_folding(device, rounds)}
    finally:
        torch.set_num_threads(threads)


HEADER = (
    f"{'shape':16}{'format':15}{'layer':15}{'inputs':10}{'':10}{'ms':>8}"
    f"{'over native':>22}{'copies':>8}{'first call':>12}{'breaks':>8}"
)


def line(row: dict) -> str:
    """One row of the table."""
    ratio = row["over native"]
    spread = f"{ratio['median']:.2f} [{ratio['smallest']:.2f}, {ratio['largest']:.2f}]"
    first = row.get("seconds of the first call")
    return (
        f"{'x'.join(map(str, row['shape'])):16}{row['memory_format']:15}"
        f"{row['layer'] + (' + ReLU' if row['relu'] else ''):15}{row['dtype']:10}"
        f"{'compiled' if row['compiled'] else 'eager':10}{row['milliseconds']:8.3g}"
        f"{spread:>22}{row['copies']['median']:8.1f}"
        f"{'' if first is None else f'{first:.1f} s':>12}{row.get('graph breaks', ''):>8}"
    ).rstrip()


def devices() -> list[torch.device]:
    """The CPU and, where there is one, the first CUDA device."""
    return [torch.device("cpu")] + [torch.device("cuda")] * torch.cuda.is_available()


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench layer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="3 rounds, nothing compiled")
    parser.add_argument("--rounds", type=int, default=9, help="how many times each (default 9)")
    options = parser.parse_args(arguments)
    for device in devices():
        print(f"forward and backward on {device.type}\n\n{HEADER}")
        found = measure(device, 3 if options.quick else options.rounds, not options.quick)
        print(f"\n{summary(found)}")
    return 0


def summary(found: dict) -> str:
    """Bandwidth, peaks and what folding is worth, in lines of text."""
    peaks = [f"{n}: {r / 1e9:.0f}" for n, r in found["operations per second"].items()]
    return "\n".join(
        [
            f"a large copy moves {found['bytes per second'] / 1e9:.1f} GB/s",
            f"a large matrix product does {', '.join(peaks)} billion operations/s",
            *(
                f"{r['kernel']}x{r['kernel']} convolution, then batch norm: "
                f"{r['pair over folded']['median']:.2f} times the two folded into one"
                for r in found["folding"]
            ),
        ]
    )


@contextmanager
def compiler_to_itself() -> Iterator[None]:
    """Let the compiler keep its remarks to itself, and find nothing compiled from a former run."""
    with (
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"TORCHINDUCTOR_CACHE_DIR": folder}),
    ):
        warnings.simplefilter("ignore")
        yield


def _ratios(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    return {name: _short(value) for name, value in timing.ratios(slower, faster).items()}


def _short(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    sys.exit(main())
