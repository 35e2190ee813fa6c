"""`python -m bench [--sizes 10k,100k,1M] [--only enqueue,send] [--quick]`: measure, show, keep in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.arena import DATA_DIR, Arena, arena
from bench.enqueue import bench_enqueue
from bench.imports import bench_imports
from bench.preview import bench_preview
from bench.reading import bench_reading
from bench.reports import bench_reports
from bench.results import FILE, Results, heading
from bench.send import bench_send
from bench.slopes import add_slopes

Bench = Callable[[Arena, Results, int], None]
# In this order: reports need a campaign that has been sent, and what reading needs fills every table.
BENCHES: dict[str, Bench] = {
    "enqueue": bench_enqueue,
    "preview": bench_preview,
    "send": bench_send,
    "reports": bench_reports,
    "import": bench_imports,
    "reading": bench_reading,
}
SIZES = (10_000, 100_000, 1_000_000)


def main(arguments: Sequence[str]) -> int:
    """0 when every promise that was judged is kept, 1 when one is not."""
    options = _options(arguments)
    sizes = [10_000] if options.quick else options.sizes
    results = Results(judged=not options.quick)
    print(heading(), flush=True)
    with arena(options.data_dir) as place:
        place.is_quick, place.largest = options.quick, max(sizes)
        for size in sizes:
            for name in options.only:
                BENCHES[name](place, results, size)
    add_slopes(results, sizes)
    results.write(options.output)
    for missed in results.missed():
        print(f"NOT MET: {missed.name} at {missed.size:,}: {missed.target}", file=sys.stderr)
    return 1 if results.missed() else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed beside its physical limits.")
    parser.add_argument("--sizes", type=_sizes, default=list(SIZES), help="10k,100k,1M")
    parser.add_argument("--only", type=_names, default=list(BENCHES), help=",".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="10k only, nothing is judged")
    parser.add_argument("--output", type=Path, default=FILE, help="where the results are kept")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, help="where the servers' files are kept")
    return parser.parse_args(arguments)


def _sizes(text: str) -> list[int]:
    units = {"k": 1000, "M": 1_000_000}
    return sorted(
        int(word[:-1]) * units[word[-1]] if word[-1] in units else int(word) for word in text.split(",")
    )


def _names(text: str) -> list[str]:
    wanted = set(text.split(","))
    if not wanted <= BENCHES.keys():
        raise argparse.ArgumentTypeError(f"choose from {', '.join(BENCHES)}")
    return [name for name in BENCHES if name in wanted]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
