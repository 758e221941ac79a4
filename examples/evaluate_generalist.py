"""Measure agent files of several training seeds against another agent, on the same queries.

    python examples/evaluate_generalist.py runs/generalist-*/agent.sragent

Printed are score / horizon oracle, and how far they are ahead, with 95 % intervals over training
seeds and, for the mean of these, over evaluation seeds.
"""

from __future__ import annotations

import argparse

import numpy as np

from stageroute_gym.evaluation import Estimate, estimate, evaluate

UNSEEN = "routerbench,routerbench-tight,routerbench-loose,paper"


def shown(value: Estimate) -> str:
    width = "  -  " if value.half_width is None else f"{value.half_width:.3f}"
    return f"{value.mean:.3f} +- {width}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--against", default="stageroute")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1020), help="first and end")
    parser.add_argument("--horizon", type=int, help="queries, where not the scenario's own")
    parser.add_argument("--scenarios", default=UNSEEN)
    parser.add_argument("--outcomes", help="data of the scenario recorded")
    parser.add_argument("--swebench", help="data of the scenario swebench")
    parser.add_argument("--releases", help="release list of the scenario swebench")
    options = parser.parse_args()

    scenarios: dict[str, dict[str, object]] = {name: {} for name in options.scenarios.split(",")}
    if options.outcomes:
        scenarios["recorded"] = {"data": options.outcomes}
    if options.swebench:
        scenarios["swebench"] = {"data": options.swebench, "models": options.releases}
    print(f"scenario            agent           {options.against:15} ahead: training / evaluation")
    for name, arguments in scenarios.items():
        arguments.update({"horizon": options.horizon} if options.horizon else {})
        seeds = range(*options.seeds)
        scores = {
            agent: evaluate(agent, name, seeds, **arguments)["score_over_horizon_oracle"].to_numpy()
            for agent in (options.against, *options.files)
        }
        other = scores.pop(options.against)
        each = np.array(list(scores.values()))
        ahead = each - other
        print(
            f"{name:19} {shown(estimate(each.mean(axis=1)))} {shown(estimate(other))} "
            f"{shown(estimate(ahead.mean(axis=1)))} / {shown(estimate(ahead.mean(axis=0)))}"
        )


if __name__ == "__main__":
    main()
