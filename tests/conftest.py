"""What every test finds and leaves behind."""

from collections.abc import Iterator

import matplotlib
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def matplotlib_as_it_was() -> Iterator[None]:
    """No test sees another's house style or open figures."""
    with matplotlib.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What interactive figures display, as mime bundles; the count of figures starts anew."""
    from bnutils.interactive import mechanism

    bundles = []

    def display(bundle, raw):
        assert raw
        bundles.append(bundle)

    monkeypatch.setattr(mechanism, "display", display)
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    return bundles
