"""The paper's experiments and theory, run by one command: ``stageroute reproduce``.

``manifest.toml`` lists the parts: of each its title, its module, its settings (``full``) and what
differs with ``--quick``. A part is two modules, so that a change of a chart runs nothing again:

- ``parts/NAME.py`` computes. It has a frozen dataclass ``Settings``, whose fields are those of the
  manifest and whose ``__post_init__`` refuses values out of range (`FieldError`);
  ``boards(settings)``, the leaderboards that it needs, by name (a dictionary of
  `stageroute_gym.evaluation.trials.LeaderboardSettings`, empty where it needs none), which the
  frame runs into ``DIR/NAME/BOARD`` and resumes; and ``measure(settings, boards, tell)``, which
  gets what these wrote (`stageroute_gym.report.results.Results`, by name), may compute what else
  it needs, and returns `stageroute_gym.reproduction.part.Measured`: a ``summary``, small and
  JSON-native, and Parquet ``tables``; the same at every run, times only in its ``timings``.
- ``exhibits/NAME.py`` shows. ``charts(measured)`` returns charts (Altair, the data inside; colours
  come from the page's theme), ``tables(summary)`` the tables, which the page and RESULTS.md share.

``running.py`` runs parts and keeps what they bring (``DIR/NAME/part.json``, which says with what
settings and code; the same again is not run), ``page.py`` draws ``DIR/reproduction.html`` and the
PNGs, ``markdown.py`` writes ``DIR/RESULTS.md`` from ``DIR/results.json`` alone, ``claims.py``
compares with the paper.
"""
