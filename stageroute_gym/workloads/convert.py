"""Converting recorded outcomes between layouts and file types, RouterBench's pickle included."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.layouts import ROUTERBENCH_COST, to_long
from stageroute_gym.workloads.outcome_files import checked
from stageroute_gym.workloads.table_files import PICKLES, read_table
from stageroute_gym.writing import write_table

if TYPE_CHECKING:
    import polars as pl

TARGETS = (".parquet", ".csv")


def convert(
    source: str | Path,
    target: str | Path,
    *,
    layout: Literal["wide", "long"] = "wide",
    overwrite: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Write the outcomes in ``source``, checked, to ``target``.

    Args:
        source: a ``.parquet`` or ``.csv`` file in any layout, or RouterBench's pandas pickle
            (``.pkl``, ``.pickle``).
        target: a ``.parquet`` or ``.csv`` file. It appears whole or not at all.
        layout: layout of the target.
        overwrite: replace an existing target.
        allow_pickle: load a pickle, which runs whatever code is in it; warns when it does.

    Raises:
        FieldError: if the source has a fault, or the target cannot be written.
        ImportError: if a pickle is to be loaded and pandas is not installed.
    """
    goal = Path(target)
    checks.choice("layout", layout, ("wide", "long"))
    if goal.suffix.lower() not in TARGETS:
        raise FieldError("target", str(target), f"a file that ends in {' or '.join(TARGETS)}")
    if goal.exists() and not overwrite:
        raise FieldError("target", str(target), "a new file, or overwrite (--overwrite)")
    if not goal.parent.is_dir():
        raise FieldError("target", str(target), "a file in an existing folder")
    pickled = Path(source).suffix.lower() in PICKLES
    frame = (
        _read_pickle(Path(source), allow_pickle) if pickled else read_table(source, "source").frame
    )
    wide = checked(frame)
    write_table(goal, to_long(wide) if layout == "long" else wide, field="target")


def _read_pickle(source: Path, allow_pickle: bool) -> pl.DataFrame:
    import polars as pl

    if not allow_pickle:
        allowed = (
            "a .parquet or .csv file: loading a pickle runs code from the file; "
            "give --allow-pickle (allow_pickle=True) if you trust where it comes from"
        )
        raise FieldError("source", str(source), allowed)
    if not source.is_file():
        raise FieldError("source", str(source), "an existing file")
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        message = "reading a pandas pickle needs pandas: pip install pandas"
        raise ImportError(message) from error
    warnings.warn(f"loading the pickle {source} executes code from the file", stacklevel=3)
    try:
        loaded = pandas.read_pickle(source)
    except Exception as error:  # a broken pickle may raise anything
        allowed = f"a readable pandas pickle: {type(error).__name__}: {error}"
        raise FieldError("source", str(source), allowed) from error
    if not isinstance(loaded, pandas.DataFrame):
        raise FieldError("source", str(source), f"a pickled DataFrame, not {type(loaded).__name__}")
    names = [str(name) for name in loaded.columns]
    # Prompts and responses, most of the file, stay behind.
    models = {name.removesuffix(ROUTERBENCH_COST) for name in names if ROUTERBENCH_COST in name}
    kept = [
        place
        for place, name in enumerate(names)
        if name in models or name in ("sample_id", "eval_name") or ROUTERBENCH_COST in name
    ]
    # A column of Python objects may mix types; Series.strict=False makes them text where it must.
    columns = {names[place]: loaded.iloc[:, place].tolist() for place in kept}
    return pl.DataFrame([pl.Series(name, cells, strict=False) for name, cells in columns.items()])
