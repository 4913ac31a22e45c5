"""Times are taken in turns, samples last long enough, and the device is waited for."""

import pytest
import torch

from bnutils.speed import timing
from tests.devices import needs_cuda


@pytest.fixture
def clock(monkeypatch):
    """A clock that only advances when somebody works."""

    class Clock:
        now = 0.0
        waits = 0

        def work(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock.now)

    def synchronize(device):
        clock.waits += 1

    monkeypatch.setattr(timing, "synchronize", synchronize)
    return clock


def test_seconds_per_call_whatever_the_number_of_repetitions(clock):
    calls = {"short": lambda: clock.work(1e-4), "long": lambda: clock.work(0.5)}
    times = timing.in_turns(calls, rounds=3)
    assert times == {"short": [pytest.approx(1e-4)] * 3, "long": [pytest.approx(0.5)] * 3}


def test_a_sample_lasts_long_enough_for_the_clock(clock):
    seen = []
    timing.in_turns({"short": lambda: (seen.append(1), clock.work(1e-3))}, 1, at_least=0.05)
    assert len(seen) == 2 + 50  # a first call, one to choose the repetitions, one sample


def test_the_calls_take_turns_and_the_order_is_reversed(clock):
    order = []

    def call(name):
        return lambda: (order.append(name), clock.work(1.0))

    timing.in_turns({"a": call("a"), "b": call("b")}, rounds=3)
    assert "".join(order[4:]) == "abbaab"


def test_the_device_is_waited_for_before_the_clock_is_read(clock, monkeypatch):
    queue = []

    def wait(device):
        while queue:
            clock.work(queue.pop())

    monkeypatch.setattr(timing, "synchronize", wait)
    (seconds,) = timing.in_turns({"queued": lambda: queue.append(2.0)}, rounds=1)["queued"]
    assert seconds == pytest.approx(2.0)


def test_ratios_are_taken_round_by_round():
    assert timing.ratios([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == {
        "median": 2.0,
        "smallest": 1.0,
        "largest": 3.0,
    }
    with pytest.raises(ValueError, match="shorter"):
        timing.ratios([1.0, 2.0], [1.0])


def test_no_rounds_are_no_measurement():
    with pytest.raises(ValueError, match="at least 1"):
        timing.in_turns({"a": lambda: None}, rounds=0)


def test_a_cpu_needs_no_waiting():
    timing.synchronize("cpu")
    timing.synchronize(torch.device("cpu"))


@needs_cuda
def test_a_product_on_cuda_takes_longer_than_placing_the_order():
    a = torch.ones(4096, 4096, device="cuda")
    waited = timing.in_turns({"product": lambda: a @ a}, 3, "cuda")["product"]
    placed = timing.in_turns({"product": lambda: a @ a}, 3, "cpu")["product"]
    assert min(waited) > min(placed)
