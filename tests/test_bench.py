"""The bench of the engine runs, compares equal work, and records what a record must carry."""

import json

import pytest
import torch
from torch import nn

from tools.bench import __main__ as command_line
from tools.bench import engine


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small(monkeypatch):
    nets = {"MLP, width 4": lambda: engine.mlp(4), "CNN, 8 and 16 channels": engine.cnn}
    monkeypatch.setattr(engine, "NETS", nets)


def test_the_three_ways_do_the_same_work():
    x, y = engine.examples([1, 2], torch.device("cpu"))
    for layers in (lambda: engine.mlp(8), engine.cnn):
        losses = [way(layers, [1, 2], x, y)(5) for way in engine.WAYS.values()]
        torch.testing.assert_close(losses[0], losses[1], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(losses[0], losses[2], rtol=1e-4, atol=1e-4)


def test_unequal_work_is_no_comparison(small, monkeypatch):
    def other_seeds(layers, seeds, x, y):
        return engine.one_pass(layers, [seed + 7 for seed in seeds], x, y)

    monkeypatch.setattr(engine, "WAYS", engine.WAYS | {"loop": other_seeds})
    with pytest.raises(AssertionError, match="not close"):
        engine.compare("MLP, width 4", 2, 1, 1, torch.device("cpu"))


def test_one_way_goes_through_vmap_and_the_other_does_not():
    from bnutils.seeds import Runs
    from bnutils.seeds.stacking import Vmapped

    assert isinstance(Runs(lambda: engine.Unknown(*engine.mlp(4)), [1]).net, Vmapped)
    assert isinstance(Runs(lambda: nn.Sequential(*engine.mlp(4)), [1]).net, nn.Sequential)


def test_the_table_and_its_record(small, monkeypatch, tmp_path, capsys):
    # The peak has a test of its own: a fresh process for each way takes seconds.
    monkeypatch.setattr(engine, "peak_on_cpu", lambda way, net, runs: None)
    path = tmp_path / "bench.json"
    arguments = ["--runs", "2", "--pairs", "1", "--steps", "1", "--record", str(path)]
    assert engine.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "2 runs in one pass" in printed
    record = json.loads(path.read_text())
    assert record["command"] == "python -m tools.bench engine " + " ".join(arguments)
    assert set(record) == {"what", "command", "commit", "device", "versions", "date", "rows"}
    assert record["versions"]["torch"] == torch.__version__
    on_cpu = [row for row in record["rows"] if row["device"] == "cpu"]
    assert [(row["net"][:3], row["threads"]) for row in on_cpu] == [
        ("MLP", 1),
        ("MLP", 2),
        ("CNN", 1),
        ("CNN", 2),
    ]
    for row in record["rows"]:
        assert row["runs"] == 2
        assert row["speed-up over the loop"]["median"] > 0
        assert engine.line(row) in printed


def test_quick_and_the_defaults(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(engine, "measure", lambda *arguments: asked.append(arguments))
    assert engine.main([]) == engine.main(["--quick"]) == 0
    assert asked == [
        (list(engine.NETS), 32, 9, 30),
        (["MLP, width 32", "CNN, 8 and 16 channels"], 32, 3, 10),
    ]
    assert "of 9 pairs of 30 steps" in capsys.readouterr().out


def test_the_peak_of_a_fresh_process_is_a_plausible_number_of_mebibytes():
    peak = engine.peak_on_cpu("one pass", "MLP, width 32", 8)
    assert peak is None or 0 <= peak < 500


def test_the_command_line_runs_the_parts_that_it_is_asked_for(monkeypatch, capsys):
    ran = []
    parts = {
        name: lambda arguments, name=name: ran.append((name, arguments)) or 0
        for name in ("engine", "layer")
    }
    monkeypatch.setattr(command_line, "PARTS", parts)
    assert command_line.main(["layer", "--rounds", "3"]) == 0
    assert command_line.main([]) == command_line.main(["--quick"]) == 0
    assert ran == [
        ("layer", ["--rounds", "3"]),
        ("engine", []),
        ("layer", []),
        ("engine", ["--quick"]),
        ("layer", ["--quick"]),
    ]
    assert command_line.main(["--help"]) == 0
    assert command_line.main(["layers"]) == command_line.main(["--record", "x"]) == 2
    assert len(ran) == 5
    assert "engine | layer" in capsys.readouterr().out
