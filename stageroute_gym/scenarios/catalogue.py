"""The named, versioned scenarios of this project."""

from __future__ import annotations

from stageroute_gym.logs import Logged
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios.fitted import FittedScenario
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.scenarios.worlds import WorldsScenario
from stageroute_gym.workloads import (
    Changing,
    Drift,
    Featured,
    Figures,
    HiddenModel,
    LateNewcomers,
    Newcomers,
    Outage,
    PriceChange,
    Recorded,
    Regression,
)

_ROUTERBENCH = Problem(
    horizon=10_000, num_stages=22, max_deployed=5, throughput=0.4, budget=5e-4, budget_rule="hard"
)
_PAPER = _ROUTERBENCH.replace(horizon=36_497, num_stages=33)
# Under 1e-4 USD no mixture of the first six models is affordable, of the first seven one is.
_BY_RELEASE = Figures(arrival_order="release", initial_models=7)
# So few slots that the best fixed set falls 2 to 5 % behind, where with five it would not.
_THREE_SLOTS, _FOUR_SLOTS = (_ROUTERBENCH.replace(max_deployed=slots) for slots in (3, 4))
_SIX_SLOTS = _ROUTERBENCH.replace(max_deployed=6, num_stages=5)
# Slots as the theory has them, N^(2/3), and money enough: nothing but what is to be hard is.
_HARD = Problem(horizon=10_000, num_stages=22, max_deployed=4, budget=2e-3)
# All models from the start, so that the change is all that happens.
_ALL_THERE = Figures(initial_models=11)
_BY_STRENGTH = Figures(arrival_order="score", initial_models=5, arrival_interval=4_000)

CATALOGUE = (
    Scenario(
        "routerbench",
        2,
        _ROUTERBENCH,
        _BY_RELEASE,
        "RouterBench's 11 models, 7 at first and the others in order of release",
    ),
    Scenario(
        "routerbench-tight",
        2,
        _ROUTERBENCH.replace(budget=1e-4),
        _BY_RELEASE,
        "the same with a fifth of the budget: only the cheapest models fit",
    ),
    Scenario(
        "routerbench-loose",
        2,
        _ROUTERBENCH.replace(budget=2e-3),
        _BY_RELEASE,
        "the same with four times the budget: the best model can be used to its throughput",
    ),
    Scenario(
        "paper",
        2,
        _PAPER,
        _BY_STRENGTH,
        "the size of the paper's experiment: the 5 weakest models, one more each 4,000 queries",
    ),
    FittedScenario(
        "recorded",
        2,
        _ROUTERBENCH,
        Recorded(data=""),
        "outcomes from a file: data=PATH; slots, throughput and budget follow from it",
    ),
    FittedScenario(
        "logged",
        1,
        _ROUTERBENCH,
        Logged(data=""),
        "a gateway's log, one model a request: data=PATH; slots, throughput and budget follow",
    ),
    Scenario(
        "swebench",
        2,
        Problem(
            horizon=10_000,
            num_stages=22,
            max_deployed=5,
            throughput=0.4,
            budget=0.3,
            budget_rule="hard",
        ),
        Recorded(data="", models=""),
        "outcomes from a file, models arriving by their dates: data=PATH models=PATH",
    ),
    Scenario(
        "drift",
        2,
        _THREE_SLOTS,
        Changing(
            base=_ALL_THERE,
            changes=(Drift(tasks=("arc", "gsm8k", "hellaswag", "winogrande", "mmlu")),),
        ),
        "four queries in five are of one task, which slowly gives way to the next: five tasks",
    ),
    Scenario(
        "regression",
        2,
        _FOUR_SLOTS,
        Changing(
            base=_ALL_THERE,
            changes=(Regression(model="zero-one-ai/Yi-34B-Chat", like="meta/llama-2-70b-chat"),),
        ),
        "the model that is worth most for its price scores half as much from halfway on",
    ),
    Scenario(
        "price-cut",
        2,
        _THREE_SLOTS,
        Changing(base=_ALL_THERE, changes=(PriceChange(model="gpt-4-1106-preview", factor=0.1),)),
        "the best model costs a tenth from halfway on, unannounced",
    ),
    Scenario(
        "outage",
        2,
        _FOUR_SLOTS,
        Changing(base=_ALL_THERE, changes=(Outage(model="zero-one-ai/Yi-34B-Chat"),)),
        "the model that is worth most for its price is withdrawn for a fifth of the horizon",
    ),
    Scenario(
        "crowd",
        2,
        _ROUTERBENCH,
        # The good one stands among the others, so that no order of columns finds it first.
        Changing(
            base=_ALL_THERE,
            changes=(
                Newcomers(number=10, prefix="a", start=0.4, quality=(-0.5, -0.1)),
                Newcomers(
                    number=1,
                    prefix="b",
                    start=0.4,
                    quality=(0.5, 0.5),
                    price=(1.0, 1.0),
                    parents=("gpt-3.5-turbo-1106",),
                ),
                Newcomers(number=9, prefix="c", start=0.4, quality=(-0.5, -0.1)),
            ),
        ),
        "20 newcomers at once at 40 % of the horizon: one is good, the others are poor",
    ),
    Scenario(
        "many-models",
        2,
        # A tenth a model, so that the set counts: the best mixture needs ten models of 200.
        _ROUTERBENCH.replace(max_deployed=16, throughput=0.1),
        Changing(
            base=Figures(initial_models=11, num_queries=2048),
            changes=(
                Newcomers(number=49, prefix="early", quality=(-0.6, 0.3), price=(0.25, 4.0)),
                Newcomers(
                    number=140,
                    prefix="late",
                    duration=0.9,
                    quality=(-0.6, 0.3),
                    price=(0.25, 4.0),
                ),
            ),
        ),
        "200 models, 60 at first and the others one by one; 16 slots, a tenth of queries each",
    ),
    Scenario(
        "mixed-alpha",
        2,
        _ROUTERBENCH.replace(throughput=(0.3, 0.2, 0.3, 0.8, 0.8, 0.8, 1.0, 0.3, 0.1, 0.15, 0.5)),
        _BY_RELEASE,
        "as routerbench, but the better a model for its price the fewer queries it takes",
    ),
    Scenario(
        "delayed",
        2,
        _ROUTERBENCH.replace(feedback_delay=500),
        _BY_RELEASE,
        "as routerbench, but score and cost of a query are seen 500 queries later",
    ),
    Scenario(
        "sparse-feedback",
        1,
        _ROUTERBENCH.replace(feedback_rate=0.1, failure_rate=0.02),
        _BY_RELEASE,
        "as routerbench, but one score in ten comes back, and one call in fifty fails",
    ),
    Scenario(
        "slow-start",
        1,
        _ROUTERBENCH.replace(activation_delay=200),
        _BY_RELEASE,
        "as routerbench, but a newly deployed model serves 200 queries later, of a stage's 454",
    ),
    Scenario(
        "per-task",
        2,
        _ROUTERBENCH,
        Figures(initial_models=7, features="task"),
        "as routerbench, and each query tells its task, one-hot; models differ by task",
    ),
    Scenario(
        "per-query",
        1,
        _SIX_SLOTS,
        Featured(),
        "8 numbers tell of each query which of six models will answer it; the task oracle reads it",
    ),
    Scenario(
        "noise-features",
        1,
        _SIX_SLOTS,
        Featured(informative=False),
        "as per-query, but the numbers are another query's and worth nothing",
    ),
    Scenario(
        "late-newcomers",
        1,
        _HARD,
        LateNewcomers(),
        "hard: two models, each far better than all before, arrive just after an update point",
    ),
    Scenario(
        "hidden-model",
        1,
        _HARD,
        HiddenModel(),
        "hard: one of 8 models is a little better, four slots; each seed hides it elsewhere",
    ),
    WorldsScenario.family(
        "tune",
        1,
        "random worlds, world=NUMBER, to choose agents and parameters by; each its own problem",
    ),
    WorldsScenario.family(
        "test", 1, "random worlds, world=NUMBER, to report on and never to choose by"
    ),
)
