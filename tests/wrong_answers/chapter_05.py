"""Wrong answers to the exercises of chapter 05: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "05.1": [
        (
            "sums over the examples alone",
            """
def backward_images(dy, x_hat, std, gamma):
    m = len(dy)
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    scale = (gamma / std).reshape(1, -1, 1, 1)
    return scale * (dy - dbeta / m - x_hat * dgamma / m), dgamma, dbeta
""",
        ),
        (
            "divides by the number of examples",
            """
def backward_images(dy, x_hat, std, gamma):
    over, m = (0, 2, 3), len(dy)
    dbeta = dy.sum(axis=over, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=over, keepdims=True)
    scale = (gamma / std).reshape(1, -1, 1, 1)
    dx = scale * (dy - dbeta / m - x_hat * dgamma / m)
    return dx, dgamma.ravel(), dbeta.ravel()
""",
        ),
        (
            "gamma and std along the last axis",
            """
def backward_images(dy, x_hat, std, gamma):
    over, m = (0, 2, 3), dy.size // dy.shape[1]
    dbeta = dy.sum(axis=over, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=over, keepdims=True)
    scale = np.resize(gamma / std, dy.shape[3])
    dx = scale * (dy - dbeta / m - x_hat * dgamma / m)
    return dx, dgamma.ravel(), dbeta.ravel()
""",
        ),
        (
            "rows by reshape, without moving the axis",
            """
def backward_images(dy, x_hat, std, gamma):
    saved = Saved(None, None, std, None, x_hat.reshape(-1, len(std)), gamma)
    dx, dgamma, dbeta = reference.backward(dy.reshape(-1, len(std)), saved)
    return dx.reshape(dy.shape), dgamma, dbeta
""",
        ),
        (
            "the gradients of the parameters keep four axes",
            """
def backward_images(dy, x_hat, std, gamma):
    over, m = (0, 2, 3), dy.size // dy.shape[1]
    dbeta = dy.sum(axis=over, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=over, keepdims=True)
    scale = (gamma / std).reshape(1, -1, 1, 1)
    return scale * (dy - dbeta / m - x_hat * dgamma / m), dgamma, dbeta
""",
        ),
        (
            "dx alone",
            """
def backward_images(dy, x_hat, std, gamma):
    mean = dy.mean(axis=(0, 2, 3), keepdims=True)
    along = (dy * x_hat).mean(axis=(0, 2, 3), keepdims=True)
    return (gamma / std).reshape(1, -1, 1, 1) * (dy - mean - x_hat * along)
""",
        ),
    ],
    "05.2": [
        (
            "one-sided",
            """
def slope_along(f, x, u, h=1e-5):
    return (f(x + h * u) - f(x)) / h
""",
        ),
        (
            "forgets the factor two",
            """
def slope_along(f, x, u, h=1e-5):
    return (f(x + h * u) - f(x - h * u)) / h
""",
        ),
        (
            "moves x in place and leaves it there",
            """
def slope_along(f, x, u, h=1e-5):
    x += h * u
    above = f(x)
    x -= 2 * h * u
    return (above - f(x)) / (2 * h)
""",
        ),
        (
            "by entries",
            """
def slope_along(f, x, u, h=1e-5):
    total = 0.0
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = h
        total += u[i] * (f(x + e) - f(x - e)) / (2 * h)
    return total
""",
        ),
        (
            "a unit vector in the direction of u",
            """
def slope_along(f, x, u, h=1e-5):
    v = u / np.linalg.norm(u)
    return (f(x + h * v) - f(x - h * v)) / (2 * h)
""",
        ),
    ],
    "05.3": [
        (
            "the colleague's own",
            """
def mended_backward(dy, saved):
    m = len(dy)
    dx_hat = dy * saved.gamma
    dstd = -(dx_hat * saved.centred).sum(axis=0) / saved.std**2
    dvar = dstd / 2 * saved.std
    dcentred = dx_hat / saved.std + dvar * 2 * saved.centred / m
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dy * saved.x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "mends the line before",
            """
def mended_backward(dy, saved):
    m = len(dy)
    dx_hat = dy * saved.gamma
    dstd = -(dx_hat * saved.centred).sum(axis=0) / saved.std
    dvar = dstd / 2 * saved.std
    dcentred = dx_hat / saved.std + dvar * 2 * saved.centred / m
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dy * saved.x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "divides by the variance",
            """
def mended_backward(dy, saved):
    m = len(dy)
    dx_hat = dy * saved.gamma
    dstd = -(dx_hat * saved.centred).sum(axis=0) / saved.std**2
    dvar = dstd / (2 * saved.var)
    dcentred = dx_hat / saved.std + dvar * 2 * saved.centred / m
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dy * saved.x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "changes the sums into means",
            """
def mended_backward(dy, saved):
    dx, dgamma, dbeta = reference.backward(dy, saved)
    return dx, dgamma / len(dy), dbeta / len(dy)
""",
        ),
    ],
    "05.4": [
        (
            "central differences",
            """
def complex_step(f, x, h=1e-30):
    return numerical(f, x)


def numerical(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = h
        gradient[i] = (f(x + e) - f(x - e)) / (2 * h)
    return gradient
""",
        ),
        (
            "the real part",
            """
def complex_step(f, x, h=1e-30):
    gradient = np.zeros(x.shape)
    z = x.astype(complex)
    for i in np.ndindex(x.shape):
        z[i] += 1j * h
        gradient[i] = f(z).real / h
        z[i] = x[i]
    return gradient
""",
        ),
        (
            "does not step back",
            """
def complex_step(f, x, h=1e-30):
    gradient = np.zeros(x.shape)
    z = x.astype(complex)
    for i in np.ndindex(x.shape):
        z[i] += 1j * h
        gradient[i] = f(z).imag / h
    return gradient
""",
        ),
        (
            "does not divide by h",
            """
def complex_step(f, x, h=1e-30):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i] += 1j * h
        gradient[i] = f(z).imag
    return gradient
""",
        ),
    ],
}
