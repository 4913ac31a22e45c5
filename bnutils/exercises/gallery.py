"""Nine batch norms, each with one mistake that its author did not see.

They run, they train, they pass a quick look. Chapter 6 asks what each does wrong; `bnutils.parity`
knows. All take inputs of shape (N, C) or (N, C, ...).
"""

import torch
from torch import nn


class Layer(nn.Module):
    """What the nine have in common, and what is right."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    @torch.no_grad()
    def remember(self, mean, var):
        """Move the running statistics towards these."""
        self.num_batches_tracked += 1
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var - self.running_var)


class LayerA(Layer):
    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, var)
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerB(Layer):
    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if not torch.is_grad_enabled():  # nobody learns from this batch
            mean, var = self.running_mean, self.running_var
        else:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, x.var(over))
        scale = self.weight * torch.rsqrt(var + self.eps)
        y = (x - mean.view(shape)) * scale.view(shape)
        return y + self.bias.view(shape)


class LayerC(Layer):
    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, x.var(over))
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var) + self.eps
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerD(Layer):
    def forward(self, x):
        shape = [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            rows = x.detach().transpose(0, 1).flatten(1)  # one a channel
            mean, var = rows.mean(1), rows.var(1, correction=0)
            self.remember(mean, rows.var(1))
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerE(Layer):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        nn.Module.__init__(self)
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        statistics = {
            "running_mean": torch.zeros(num_features),
            "running_var": torch.ones(num_features),
            "num_batches_tracked": torch.tensor(0),
        }
        for name, start in statistics.items():
            setattr(self, name, start)

    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, x.var(over))
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerF(Layer):
    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            m = x.numel() / len(self.weight)
            mean = x.mean(over)
            var = x.square().mean(over) - mean.square()
            self.remember(mean, var * m / (m - 1))
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerG(Layer):
    def forward(self, x):
        shape = [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            columns = x.reshape(-1, len(self.weight))  # one a channel
            mean, var = columns.mean(0), columns.var(0, correction=0)
            self.remember(mean, columns.var(0))
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


class LayerH(Layer):
    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean, var = x.mean(over), x.var(over)
            self.remember(mean, x.var(over))
        else:
            mean, var = self.running_mean, self.running_var
        scale = self.weight / torch.sqrt(var + self.eps)
        y = (x - mean.view(shape)) * scale.view(shape)
        return y + self.bias.view(shape)


class LayerI(Layer):
    @torch.no_grad()
    def remember(self, mean, var):
        share = 1 - self.momentum
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(var, share)

    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, x.var(over))
        else:
            mean, var = self.running_mean, self.running_var
        s = torch.sqrt(var + self.eps)
        x_hat = (x - mean.view(shape)) / s.view(shape)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


PATIENTS = {letter: globals()[f"Layer{letter}"] for letter in "ABCDEFGHI"}
