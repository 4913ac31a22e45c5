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
