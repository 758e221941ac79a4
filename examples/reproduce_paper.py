"""The paper's experiments and theory, run by one call; parts that are done are not run again.

    python examples/reproduce_paper.py [--quick] [PART...]

The same as ``stageroute reproduce``; ``stageroute reproduce --list`` names the parts.
"""

from __future__ import annotations

import argparse

from stageroute_gym.reproduction.reproducing import reproduce


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="names of parts; default: all")
    parser.add_argument("--quick", action="store_true", help="the smaller settings")
    parser.add_argument("--out", default="reproduction", help="folder to write to")
    parser.add_argument("--manifest", help="another list of parts and settings (TOML)")
    parser.add_argument("--data", help="recorded outcomes, for the parts that need some")
    options = parser.parse_args()
    done = reproduce(
        options.parts,
        options.out,
        quick=options.quick,
        manifest=options.manifest,
        data=options.data,
    )
    for path in done.files:
        print(path)
    if done.failures:
        raise SystemExit("\n".join(done.failures))


if __name__ == "__main__":
    main()
