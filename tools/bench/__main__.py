"""python -m tools.bench [engine | layer] [--quick]: both tables, or one with options of its own."""

import sys

from tools.bench import engine, layer

PARTS = {"engine": engine.main, "layer": layer.main}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that the command line asks for; return the exit code."""
    part, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if part in PARTS:
        return PARTS[part](rest)
    if part not in ("", "--quick") or rest:
        print(__doc__, "python -m tools.bench engine --help tells more.", sep="\n")
        return 0 if part in ("-h", "--help") else 2
    failed = 0
    for title, run in PARTS.items():
        print(f"== {title} ==\n")
        failed |= run([part] if part else [])
        print()
    return failed


if __name__ == "__main__":
    sys.exit(main())
