"""Figures that the reader moves: on the site, in JupyterLab and on Colab, without a kernel.

:func:`show` is the one mechanism; each figure is a JavaScript file beside it and a thin, typed
function that knows the figure's data. A new figure ``name`` needs ``name.js``, with a function
``name(figure, data)`` built on ``core.js``, and such a function here.
"""

from bnutils.interactive.backward import backward
from bnutils.interactive.batch_size import batch_size
from bnutils.interactive.domains import domains
from bnutils.interactive.equilibrium import equilibrium
from bnutils.interactive.mechanism import show, to_html
from bnutils.interactive.minibatch import minibatch
from bnutils.interactive.momentum import momentum
from bnutils.interactive.trainability import trainability
from bnutils.interactive.victim import victim

__all__ = [
    "backward",
    "batch_size",
    "domains",
    "equilibrium",
    "minibatch",
    "momentum",
    "show",
    "to_html",
    "trainability",
    "victim",
]
