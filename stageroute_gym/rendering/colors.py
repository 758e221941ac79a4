"""Colours of pictures: each stands for one thing, told apart by the colour blind too."""

from __future__ import annotations

Color = tuple[int, int, int]

PAPER: Color = (250, 250, 248)
INK: Color = (32, 36, 44)
FAINT: Color = (110, 117, 128)
RULE: Color = (224, 226, 230)
TRACK: Color = (232, 234, 238)
DEPLOYED: Color = (0, 92, 160)
OFFERED: Color = (158, 196, 232)
QUERIES: Color = (92, 99, 112)
SCORE: Color = (34, 150, 104)
MONEY: Color = (222, 134, 40)
LIMIT: Color = (122, 62, 160)
SERVING: Color = (255, 243, 205)
# The budget is gone before the queries are, or overspent.
ALARM: Color = (196, 30, 58)

# What the legend says of each, in the order of the picture.
LEGEND: tuple[tuple[Color, str], ...] = (
    (DEPLOYED, "deployed"),
    (OFFERED, "on offer"),
    (SERVING, "served last"),
    (QUERIES, "queries"),
    (SCORE, "score"),
    (MONEY, "money"),
    (LIMIT, "limits: pace, cap, tokens"),
    (ALARM, "over budget"),
)
