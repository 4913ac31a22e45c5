"""Train many independent runs in one vectorized pass: seeds times learning rates.

One run shows luck; thirty-two show an effect. An ordinary training step of a small net is nearly
all call overhead, so that 32 nets side by side in each tensor cost a few times what one costs.
Each of them computes what it would have computed alone.

    runs = Runs(net, seeds(32))                      # net() builds an ordinary torch.nn.Sequential
    runs.fit(classify, (x, y), SGD(lr=0.1, momentum=0.9), steps=300, batch_size=64)
    accuracy(runs.predict(x_test), y_test)           # a value per run
    runs.extract(3)                                  # the fourth net, an ordinary one again
"""

from bnutils.seeds.decay import DecayedSGD
from bnutils.seeds.optimizers import SGD, Adam, constant, cosine
from bnutils.seeds.runs import History, Runs, accuracy, classify, cross_entropy, grid
from bnutils.seeds.stacking import run_first

__all__ = [
    "SGD",
    "Adam",
    "DecayedSGD",
    "History",
    "Runs",
    "accuracy",
    "classify",
    "constant",
    "cosine",
    "cross_entropy",
    "grid",
    "run_first",
]
