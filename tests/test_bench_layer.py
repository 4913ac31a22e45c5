"""The bench of the layer compares equal work, and what it measures is written down whole."""

import json

import pytest
import torch

from bnutils import recorded
from tests.devices import needs_cuda
from tools import record
from tools.bench import layer

CPU = torch.device("cpu")
IMAGES = ((4, 3, 5, 5), "channels_last")


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small(monkeypatch):
    """Small cases, and a machine whose roof was measured in no time."""
    monkeypatch.setattr(layer, "CASES", [((8, 3), "contiguous"), IMAGES])
    monkeypatch.setattr(layer.roofline, "peak", lambda device, dtype: 6.4e10)
    monkeypatch.setattr(layer.roofline, "bandwidth", lambda device: 8e9)
    monkeypatch.setattr(layer, "measure_folding", lambda device, rounds: [FOLDING])


FOLDING = {
    "kernel": 1,
    "milliseconds, folded": 1.0,
    "pair over folded": {"median": 1.3, "smallest": 1.2, "largest": 1.4},
}


def test_all_ways_of_a_case_do_the_same_work():
    for shape, memory_format in (((8, 3), "contiguous"), IMAGES):
        layer.check_equal(layer.rows(shape, memory_format, CPU, compiled=False))


@pytest.mark.parametrize(
    "fault",
    [
        lambda y: 1.01 * y,
        lambda y: y.detach() + 0 * y,
        lambda y: y + 0.01,
    ],
    ids=["another output", "another gradient", "another shift"],
)
def test_unequal_work_is_no_comparison(monkeypatch, fault):
    class Other(layer.Naive):
        def forward(self, x):
            return fault(super().forward(x))

    monkeypatch.setitem(layer.LAYERS, "naive", lambda dimensions, channels: Other(channels))
    with pytest.raises(AssertionError, match="'layer': 'naive'"):
        layer.check_equal(layer.rows((8, 3), "contiguous", CPU, compiled=False))


def test_inputs_have_the_format_and_the_dtype_that_the_row_says():
    rows = layer.rows(*IMAGES, CPU, compiled=False)
    assert len(rows) == 3 + 2 + 2
    for row in rows:
        assert row.x.is_contiguous(memory_format=torch.channels_last)
        assert row.dy.is_contiguous(memory_format=torch.channels_last)
        assert str(row.x.dtype) == f"torch.{row.about['dtype']}"
        assert isinstance(row.module, torch.nn.Sequential) == row.about["relu"]


def test_what_is_compiled_is_compiled_once_and_says_how_long_it_took(monkeypatch):
    compiled = []

    def compile(module, dynamic):
        compiled.append(module)
        return module

    monkeypatch.setattr(torch, "compile", compile)
    with layer.compiler_to_itself():
        rows = layer.rows(*IMAGES, CPU, compiled=True)
    made = [row for row in rows if row.about["compiled"]]
    assert [row.about["layer"] for row in made] == ["native", "ours", "naive", "native", "ours"]
    assert [row.about["relu"] for row in made] == [False, False, False, True, True]
    assert len(compiled) == len(set(map(id, compiled))) == 5
    for row in made:
        assert row.about["seconds of the first call"] >= 0
        assert row.about["graph breaks"] >= 0
        assert "s" in layer.line(described(row)).split("]")[1]


def described(row):
    ratio = {"median": 2.0, "smallest": 1.0, "largest": 3.0}
    of_case = {"shape": [4, 3, 5, 5], "memory_format": "channels_last", "milliseconds": 1.5}
    return of_case | row.about | {"over native": ratio, "copies": ratio}


def test_the_table_and_the_record(small, tmp_path, monkeypatch, capsys):
    path = tmp_path / "layer_speed.json"
    monkeypatch.setattr(layer, "rows", without_compiling(layer.rows))
    torch.set_num_threads(2)
    assert record.main(["--device", "cpu", "--rounds", "2", "--to", str(path)]) == 0
    assert torch.get_num_threads() == 2
    printed = capsys.readouterr().out
    (entry,) = json.loads(path.read_text())["entries"]
    assert entry["command"] == f"python -m tools.record --device cpu --rounds 2 --to {path}"
    assert entry["device"]["type"] == "cpu"
    assert entry["versions"]["torch"] == torch.__version__
    assert entry["threads"] == 1
    assert [len(row["shape"]) for row in entry["rows"]] == 3 * [2] + 7 * [4]
    for row in entry["rows"]:
        assert row["over native"]["smallest"] <= row["over native"]["median"]
        assert row["milliseconds"] > 0
        assert layer.line(row) in printed
    native = [row for row in entry["rows"] if row["layer"] == "native"][0]
    assert native["over native"] == {"median": 1.0, "smallest": 1.0, "largest": 1.0}
    assert "8.0 GB/s" in printed
    assert "float32: 64 billion" in printed
    assert "1x1 convolution, then batch norm: 1.30 times" in printed


def without_compiling(rows):
    return lambda shape, memory_format, device, compiled: rows(shape, memory_format, device, False)


def test_quick_compiles_nothing(small, monkeypatch, capsys):
    asked = []

    def measure(device, rounds, compiled):
        asked.append((device.type, rounds, compiled))
        return {"bytes per second": 1e9, "operations per second": {"float32": 1e9}, "folding": []}

    monkeypatch.setattr(layer, "measure", measure)
    monkeypatch.setattr(layer, "devices", lambda: [CPU])
    assert layer.main(["--quick"]) == layer.main([]) == 0
    assert asked == [("cpu", 3, False), ("cpu", 9, True)]
    assert "over native" in capsys.readouterr().out


def test_folding_is_measured_against_the_pair():
    (one, three) = layer.measure_folding(CPU, rounds=1)
    assert (one["kernel"], three["kernel"]) == (1, 3)
    assert one["pair over folded"]["median"] > 0


ENTRY = {
    "command": "python -m tools.record",
    "commit": "0" * 40,
    "device": {"type": "cpu", "name": "a processor"},
    "versions": {"torch": "2.6"},
    "date": "2026-01-01",
}


def test_a_device_replaces_its_own_entry_and_no_other(tmp_path):
    path = tmp_path / "layer_speed.json"
    cuda = ENTRY | {"device": {"type": "cuda", "name": "a GPU"}}
    for entry in (ENTRY, cuda, ENTRY | {"date": "2026-02-02"}):
        record.merge(entry, path)
    known = json.loads(path.read_text())["entries"]
    assert known == [ENTRY | {"date": "2026-02-02"}, cuda]
    record.merge(ENTRY | {"device": {"type": "cpu", "name": "another processor"}}, path)
    assert len(json.loads(path.read_text())["entries"]) == 3


@pytest.mark.parametrize("part", recorded.PARTS)
def test_an_entry_that_does_not_say_where_it_comes_from_is_not_written(tmp_path, part):
    path = tmp_path / "layer_speed.json"
    with pytest.raises(ValueError, match=f"lacks {part}"):
        record.merge(ENTRY | {part: ""}, path)
    assert not path.exists()


def test_a_device_that_is_not_there_is_named(monkeypatch, capsys):
    monkeypatch.setattr(layer, "devices", lambda: [CPU])
    assert record.main(["--device", "cuda"]) == 1
    assert "no cuda device" in capsys.readouterr().err


@needs_cuda
def test_all_ways_do_the_same_work_on_cuda():
    for shape, memory_format in layer.CASES:
        layer.check_equal(layer.rows(shape, memory_format, torch.device("cuda"), compiled=False))
