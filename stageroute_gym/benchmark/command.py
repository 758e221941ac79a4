"""The command ``stageroute bench``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from stageroute_gym.benchmark.section import FULL, QUICK, Effort, Section, rich_table
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.extras import check_extra
from stageroute_gym.writing import make_folder, write_json

JSON_NAME = "bench.json"


def _machine(effort: Effort) -> Section:
    from stageroute_gym.benchmark.machine import describe_machine

    rows = tuple(describe_machine().items())
    return Section("machine", "Machine", ("what", "value"), rows)


def _environments(effort: Effort) -> Section:
    from stageroute_gym.benchmark import environments

    return environments.measure(effort)


def _agents(effort: Effort) -> Section:
    from stageroute_gym.benchmark import deciding

    return deciding.measure(effort)


def _programmes(effort: Effort) -> Section:
    from stageroute_gym.benchmark import programmes

    return programmes.measure(effort)


def _paper(effort: Effort) -> Section:
    from stageroute_gym.benchmark import paper

    return paper.measure(effort)


def _growth(effort: Effort) -> Section:
    from stageroute_gym.benchmark import growth

    return growth.measure(effort)


# Each loads what it measures only when it runs, so that other commands start quickly.
SECTIONS: dict[str, Callable[[Effort], Section]] = {
    "machine": _machine,
    "environments": _environments,
    "agents": _agents,
    "programmes": _programmes,
    "paper": _paper,
    "growth": _growth,
}


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer rounds and sizes: under a minute.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="SECTION", help=f"One of {', '.join(SECTIONS)}; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"Write {JSON_NAME}, and the growth as a chart, there."),
    ] = None,
) -> None:
    """Measure speed and memory on this machine, beside CartPole and general solvers."""
    from stageroute_gym.cli.output import stdout_console

    for name in only or ():
        if name not in SECTIONS:
            raise FieldError("only", name, closest(name, SECTIONS))
    if out is not None and (out.exists() and not out.is_dir()):
        raise FieldError("out", str(out), "a folder, there already or not")
    if out is not None:
        check_extra("report", "out", str(out))
    effort = QUICK if quick else FULL
    console = stdout_console()
    sections: list[Section] = []
    start = time.perf_counter()
    for name in [name for name in SECTIONS if only is None or name in only]:
        print(f"measuring: {name} ...", file=sys.stderr)
        section = SECTIONS[name](effort)
        sections.append(section)
        console.print(rich_table(section))
        for note in section.notes:
            console.print(note, markup=False, highlight=False)
        console.print()
    console.print(f"took {time.perf_counter() - start:.0f} s")
    if out is not None:
        files = _write(sections, out)
        names = ", ".join(str(file) for file in files)
        console.print(f"wrote {names}", markup=False, highlight=False, soft_wrap=True)


def _write(sections: list[Section], out: Path) -> list[Path]:
    make_folder(out)
    file = out / JSON_NAME
    write_json(file, {section.name: section.to_dict() for section in sections}, field="out")
    files = [file]
    for section in sections:
        if section.name == "growth":
            from stageroute_gym.benchmark.charts import write_chart

            files += write_chart(section, out)
    return files
