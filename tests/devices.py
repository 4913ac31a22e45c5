"""What a test needs of the machine; `tests.not_run` lists what was left out for want of it."""

import pytest
import torch

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
