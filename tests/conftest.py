"""What every test finds and leaves behind."""

from collections.abc import Iterator

import matplotlib
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt

# Files whose tests share a start that takes long: a server, an environment, a run of nbval.
ONE_WORKER = (
    "tests/lab/test_jupyterlab.py",
    "tests/notebooks/test_colab.py",
    "tests/notebooks/test_sanitizer.py",
    "tests/test_replicate.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With ``--dist loadscope``, whoever is free takes the next test, or the next such file.

    (With pytest 9.2, xdist 3.8 does not heed its own mark for this, ``xdist_group``.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Spread(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file in ONE_WORKER else nodeid

    return Spread(config, log) if config.getvalue("dist") == "loadscope" else None


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
