"""What training many runs in one pass is worth, against a loop and against torch.func.vmap.

    python -m tools.bench engine                               a table
    python -m tools.bench engine --quick                       fewer pairs and steps
    python -m tools.bench engine --record recorded/bench.json  the table, and the same as JSON

Three ways of doing the same work, 32 runs from the same seeds on the same minibatches with SGD and
momentum: one pass (`bnutils.seeds`), the same engine with every layer left to vmap, and ordinary
nets one after the other with torch's fused SGD. Speeds are ratios of times taken right after one
another, in turns; a table shows their median, smallest and largest. Memory is what a way adds at
its peak, on the CPU in a process of its own. Run it on an idle machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bnutils import data
from bnutils.seeds import SGD, Runs, classify
from bnutils.speed import timing
from tools.bench import circumstances

SETTINGS = {"lr": 0.05, "momentum": 0.9}
WHAT = "the engine of many seeds against a loop and against vmap; see tools/bench/engine.py"
BATCH = 64
THREADS = (1, 2)


def mlp(width: int) -> list[nn.Module]:
    return [
        nn.Linear(64, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, 10),
    ]


def cnn() -> list[nn.Module]:
    return [
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1, stride=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    ]


NETS: dict[str, Callable[[], list[nn.Module]]] = {
    "MLP, width 32": lambda: mlp(32),
    "MLP, width 64": lambda: mlp(64),
    "MLP, width 128": lambda: mlp(128),
    "CNN, 8 and 16 channels": cnn,
}


class Unknown(nn.Sequential):
    """A Sequential that the engine does not know as one, so that all of it goes through vmap."""


Train = Callable[[int], Tensor]  # from the number of steps to the last losses, shape (S,)


def one_pass(layers: Callable, seeds: Sequence[int], x: Tensor, y: Tensor) -> Train:
    """Each way builds the nets and returns what trains them."""
    runs = Runs(lambda: nn.Sequential(*layers()), seeds, x.device)
    return lambda steps: _fit(runs, x, y, steps)


def vmap(layers: Callable, seeds: Sequence[int], x: Tensor, y: Tensor) -> Train:
    runs = Runs(lambda: Unknown(*layers()), seeds, x.device)
    return lambda steps: _fit(runs, x, y, steps)


def _fit(runs: Runs, x: Tensor, y: Tensor, steps: int) -> Tensor:
    return runs.fit(classify, (x, y), SGD(**SETTINGS), steps=steps, batch_size=BATCH).loss


def loop(layers: Callable, seeds: Sequence[int], x: Tensor, y: Tensor) -> Train:
    nets = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            nets.append(nn.Sequential(*layers()).to(x.device))

    def train(steps: int) -> Tensor:
        losses = []
        for net, seed, images, labels in zip(nets, seeds, x, y, strict=True):
            optimizer = torch.optim.SGD(net.parameters(), fused=True, **SETTINGS)
            minibatches = data.minibatches(len(images), BATCH, [seed])
            for _ in range(steps):
                chosen = next(minibatches)[0].to(x.device)
                optimizer.zero_grad()
                loss = F.cross_entropy(net(images[chosen]), labels[chosen])
                loss.backward()
                optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses)

    return train


WAYS = {"one pass": one_pass, "vmap": vmap, "loop": loop}


def examples(seeds: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    images, labels = data.digits()
    chosen = data.splits(seeds).train
    return images[chosen].to(device), labels[chosen].to(device)


def seconds(train: Train, steps: int) -> float:
    """Wall-clock seconds of training, after one step that warms up."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    train(1)
    wait()
    start = time.perf_counter()
    train(steps)
    wait()
    return time.perf_counter() - start


def compare(net: str, runs: int, pairs: int, steps: int, device: torch.device) -> dict:
    """Time the three ways in turns, ``pairs`` times."""
    seeds = range(runs)
    x, y = examples(seeds, device)
    # The first round shows that all do the same work.
    losses = {way: WAYS[way](NETS[net], seeds, x, y)(5) for way in WAYS}
    for way in ("vmap", "loop"):
        torch.testing.assert_close(losses["one pass"], losses[way], rtol=1e-2, atol=1e-2)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for pair in range(pairs):
        for way in list(WAYS)[:: 1 if pair % 2 else -1]:
            times[way].append(seconds(WAYS[way](NETS[net], seeds, x, y), steps))
    return {
        "milliseconds per step of all runs": {
            way: round(1000 * statistics.median(taken) / steps, 3) for way, taken in times.items()
        },
        "speed-up over the loop": rounded(times["loop"], times["one pass"]),
        "speed-up over vmap": rounded(times["vmap"], times["one pass"]),
    }


def rounded(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """To three digits, so that even a small ratio is not 0."""
    return {name: float(f"{value:.3g}") for name, value in timing.ratios(slower, faster).items()}


def peak_on_cuda(way: str, net: str, runs: int) -> float:
    """MiB that a way adds at its peak on the first CUDA device, beside the examples."""
    x, y = examples(range(runs), torch.device("cuda"))
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    WAYS[way](NETS[net], range(runs), x, y)(5)
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def peak_of_this_process(way: str, net: str, runs: int) -> float | None:
    """MiB that a way adds at its peak to this process's memory; None where Linux does not tell."""
    torch.set_num_threads(1)
    x, y = examples(range(runs), torch.device("cpu"))
    # One ordinary run first, so that what torch loads on its first step does not count.
    loop(NETS[net], [0], x[:1], y[:1])(2)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        before = _resident_peak()
        WAYS[way](NETS[net], range(runs), x, y)(5)
        return (_resident_peak() - before) / 2**20
    except OSError:
        return None


def _resident_peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("no VmHWM in /proc/self/status")


def peak_on_cpu(way: str, net: str, runs: int) -> float | None:
    """`peak_of_this_process` in a fresh process."""
    call = f"peak_of_this_process({way!r}, {net!r}, {runs})"
    code = f"from tools.bench import engine; print(engine.{call})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=circumstances.ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    answer = done.stdout.strip()
    return None if answer == "None" else float(answer)


def measure(nets: Sequence[str], runs: int, pairs: int, steps: int) -> list[dict]:
    """All rows: every net on the CPU by number of threads, and on CUDA where there is one."""
    cpu, rows, threads_before = torch.device("cpu"), [], torch.get_num_threads()
    places = [(cpu, threads) for threads in THREADS]
    if torch.cuda.is_available():
        places.append((torch.device("cuda"), threads_before))
    for net in nets:
        on_cpu = {way: peak_on_cpu(way, net, runs) for way in WAYS}
        for device, threads in places:
            torch.set_num_threads(threads)
            found = compare(net, runs, pairs, steps, device)
            torch.set_num_threads(threads_before)
            on_cuda = device.type == "cuda"
            peaks = {way: peak_on_cuda(way, net, runs) for way in WAYS} if on_cuda else on_cpu
            place = {"net": net, "device": device.type, "threads": threads, "runs": runs}
            memory = {way: peak if peak is None else round(peak, 1) for way, peak in peaks.items()}
            rows.append(place | found | {"MiB added at the peak": memory})
            print(line(rows[-1]), flush=True)
    return rows


HEADER = (
    f"{'net':24}{'on':>8}{'ms per step':>13}{'over the loop':>22}{'over vmap':>22}"
    f"{'MiB: one pass, vmap, loop':>29}"
)


def line(row: dict) -> str:
    """One row of the table."""

    def spread(ratio: dict[str, float]) -> str:
        return f"{ratio['median']:.1f}x [{ratio['smallest']:.1f}, {ratio['largest']:.1f}]"

    on = "cuda" if row["device"] == "cuda" else f"cpu x {row['threads']}"
    memory = [row["MiB added at the peak"][way] for way in ("one pass", "vmap", "loop")]
    return (
        f"{row['net']:24}{on:>8}{row['milliseconds per step of all runs']['one pass']:13.2f}"
        f"{spread(row['speed-up over the loop']):>22}{spread(row['speed-up over vmap']):>22}"
        f"{', '.join('?' if m is None else f'{m:.0f}' for m in memory):>29}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="two nets, 3 pairs of 10 steps")
    parser.add_argument("--runs", type=int, default=32, help="how many runs (default 32)")
    parser.add_argument("--pairs", type=int, default=9, help="how many times each (default 9)")
    parser.add_argument("--steps", type=int, default=30, help="steps in each (default 30)")
    parser.add_argument("--record", type=Path, metavar="PATH", help="also write JSON there")
    options = parser.parse_args(arguments)
    nets = list(NETS)
    if options.quick:
        nets, options.pairs, options.steps = [nets[0], nets[-1]], 3, 10
    print(f"{options.runs} runs in one pass, against a loop over them and against vmap; medians")
    print(f"[smallest, largest] of {options.pairs} pairs of {options.steps} steps\n\n{HEADER}")
    rows = measure(nets, options.runs, options.pairs, options.steps)
    if options.record:
        command = ["python -m tools.bench engine", *arguments]
        record = {"what": WHAT} | circumstances.of(command) | {"rows": rows}
        options.record.write_text(json.dumps(record, indent=1) + "\n")
        print(f"\nwrote {options.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
