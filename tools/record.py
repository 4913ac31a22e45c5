"""Record what is too slow, or too bound to a device, to be measured while a chapter runs.

    python -m tools.record                  the speed of batch norm, on each device that is here
    python -m tools.record --device cuda    on the GPU alone
    python -m tools.record trainability     which nets train with and without batch norm
    python -m tools.record rescues          what else trains those that do not
    python -m tools.record half_the_time    how many steps the others need
    python -m tools.record alternatives     every alternative through every peril

The first two write recorded/layer_speed.json, which chapter 7 shows; the others
the files of their names, for chapters 9, 10 and 25. There is one entry for each device: a run on
another device adds one, a run on the same device replaces its own. Run it on an idle machine with
all files committed, since the entry names the commit. Each takes some minutes.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import torch

import bnutils
from bnutils import recorded
from bnutils.experiments import alternatives, half_the_time, rescues, trainability
from tools import notebooks
from tools.bench import circumstances, layer

RECORDED = notebooks.ROOT / "recorded"
WHAT = {
    "layer_speed": (
        "forward and backward through batch norm, ours and torch's; see tools/bench/layer.py"
    ),
    "trainability": (
        "test accuracy after training, by (activation, initialization), norm, depth, learning "
        "rate and seed; see bnutils/experiments/trainability.py"
    ),
    "rescues": (
        "test accuracy of each candidate at its best rate; see bnutils/experiments/rescues.py"
    ),
    "half_the_time": (
        "steps to a target accuracy of each arm at its best rate; "
        "see bnutils/experiments/half_the_time.py"
    ),
    "alternatives": (
        "the harm of every peril to every alternative to batch norm, and each alternative's test "
        "accuracy at its own rate; see bnutils/experiments/alternatives.py"
    ),
}
OF_NETS = {
    "trainability": trainability.measure,
    "rescues": rescues.measure,
    "half_the_time": half_the_time.measure,
    "alternatives": alternatives.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and write down; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="python -m tools.record",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", nargs="?", choices=WHAT, default="layer_speed")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="this one only")
    parser.add_argument("--rounds", type=int, default=9, help="how many times each (default 9)")
    parser.add_argument("--to", type=Path, help="another file, for a trial")
    options = parser.parse_args(arguments)
    path = options.to or RECORDED / f"{options.record}.json"
    command = ["python -m tools.record", *arguments]
    if options.record in OF_NETS:
        return record_nets(options.record, command, path)
    chosen = [d for d in layer.devices() if options.device in (None, d.type)]
    if not chosen:
        print(f"there is no {options.device} device here", file=sys.stderr)
        return 1
    for device in chosen:
        print(f"{device.type}\n{layer.HEADER}", flush=True)
        found = layer.measure(device, options.rounds)
        print(layer.summary(found), flush=True)
        entry = circumstances.of(command) | {"device": describe(device)} | found
        merge(entry, path)
    print(f"wrote {path}")
    return 0


def record_nets(record: str, command: list[str], path: Path) -> int:
    """Train a chapter's nets on the device that the book's run on, and write it down."""
    device = bnutils.device()
    # The nets are small: on a CPU one thread each, so that all its cores have work.
    workers = os.cpu_count() or 1 if device.type == "cpu" else 1
    found = OF_NETS[record](workers=workers)
    entry = circumstances.of(command) | {"device": describe(device)} | found
    merge(entry, path, record)
    print(f"wrote {path}, {found['cpu seconds']} CPU-seconds")
    return 0


def describe(device: torch.device) -> dict[str, str]:
    """A device's type and name."""
    on_cpu = device.type == "cpu"
    name = circumstances.processor() if on_cpu else torch.cuda.get_device_name(device)
    return {"type": device.type, "name": name}


def merge(entry: dict, path: Path, record: str = "layer_speed") -> None:
    """Put an entry in the place of the one for the same device, or after the others."""
    recorded.check(entry)
    known = json.loads(path.read_text())["entries"] if path.exists() else []
    same = [i for i, other in enumerate(known) if other["device"] == entry["device"]]
    if same:
        known[same[0]] = entry
    else:
        known.append(entry)
    text = json.dumps({"what": WHAT[record], "entries": known}, indent=1) + "\n"
    notebooks.replace(path, text.encode())


if __name__ == "__main__":
    sys.exit(main())
