"""Wrong answers to the exercises of chapter 07: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "07.1": [
        (
            "each tensor once",
            """
def bytes_moved(shape, itemsize):
    size = itemsize * np.prod(shape)
    return 2 * size, 3 * size
""",
        ),
        (
            "forgets what is written",
            """
def bytes_moved(shape, itemsize):
    size = itemsize * np.prod(shape)
    return 2 * size, 4 * size
""",
        ),
        (
            "counts numbers, not bytes",
            """
def bytes_moved(shape, itemsize):
    return 3 * np.prod(shape), 5 * np.prod(shape)
""",
        ),
        (
            "forgets the positions",
            """
def bytes_moved(shape, itemsize):
    size = itemsize * shape[0] * shape[1]
    return 3 * size, 5 * size
""",
        ),
        (
            "both together",
            """
def bytes_moved(shape, itemsize):
    return 8 * itemsize * np.prod(shape)
""",
        ),
    ],
    "07.2": [
        (
            "adds the two times",
            """
def at_least(operations, bytes, peak, bandwidth):
    memory, arithmetic = bytes / bandwidth, operations / peak
    return memory + arithmetic, "memory" if memory > arithmetic else "arithmetic"
""",
        ),
        (
            "takes the shorter time",
            """
def at_least(operations, bytes, peak, bandwidth):
    memory, arithmetic = bytes / bandwidth, operations / peak
    return min(memory, arithmetic), "memory" if memory > arithmetic else "arithmetic"
""",
        ),
        (
            "names the other bound",
            """
def at_least(operations, bytes, peak, bandwidth):
    memory, arithmetic = bytes / bandwidth, operations / peak
    return max(memory, arithmetic), "memory" if memory < arithmetic else "arithmetic"
""",
        ),
        (
            "one operation for each byte as the limit, whatever the machine",
            """
def at_least(operations, bytes, peak, bandwidth):
    bound = "memory" if operations < bytes else "arithmetic"
    return max(bytes / bandwidth, operations / peak), bound
""",
        ),
    ],
    "07.3": [
        (
            "forgets the root",
            """
def largest(dtype):
    return torch.finfo(dtype).max
""",
        ),
        (
            "half of the largest number",
            """
def largest(dtype):
    return torch.finfo(dtype).max / 2
""",
        ),
        (
            "float16 alone",
            """
def largest(dtype):
    return 65504**0.5
""",
        ),
        (
            "the root of the precision",
            """
def largest(dtype):
    return torch.finfo(dtype).eps ** -0.5
""",
        ),
    ],
    "07.4": [
        (
            "without the seed",
            """
def noise(x, seed):
    return torch.randn_like(x)
""",
        ),
        (
            "leaves device and dtype behind",
            """
def noise(x, seed):
    return torch.randn(x.shape, generator=generator(seed))
""",
        ),
        (
            "the device alone",
            """
def noise(x, seed):
    return torch.randn(x.shape, generator=generator(seed)).to(x.device)
""",
        ),
        (
            "seeds the whole program",
            """
def noise(x, seed):
    torch.manual_seed(seed)
    return torch.randn(x.shape).to(x)
""",
        ),
        (
            "one number too few dimensions",
            """
def noise(x, seed):
    return torch.randn(x.numel(), generator=generator(seed)).to(x)
""",
        ),
    ],
}
