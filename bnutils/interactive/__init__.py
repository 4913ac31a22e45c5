"""Figures that the reader moves: on the site, in JupyterLab and on Colab, without a kernel.

:func:`show` is the one mechanism; each figure is a JavaScript file beside it and a thin, typed
function that knows the figure's data. A new figure ``name`` needs ``name.js``, with a function
``name(figure, data)`` built on ``core.js``, and such a function here.
"""

from bnutils.interactive.domains import domains
from bnutils.interactive.mechanism import show, to_html
from bnutils.interactive.minibatch import minibatch

__all__ = ["domains", "minibatch", "show", "to_html"]
