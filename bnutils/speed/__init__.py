"""How long a computation takes, and how long it must take at least on this device."""
