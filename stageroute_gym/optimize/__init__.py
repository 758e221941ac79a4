"""Confidence bounds, RouteOPT, DeployOPT and the oracles; knows nothing of the environment."""

from stageroute_gym.optimize.bounds import (
    confidence_radius,
    cost_lower_bound,
    score_upper_bound,
)
from stageroute_gym.optimize.deploy import DeployPlan, deploy_mip
from stageroute_gym.optimize.horizon import HorizonPlan, horizon_oracle
from stageroute_gym.optimize.route import RoutePlan, route_lp
from stageroute_gym.optimize.slots import fill_slots
from stageroute_gym.optimize.stage import StagePlan, stage_oracle
from stageroute_gym.optimize.task_deploy import TaskPlan, deploy_by_task

__all__ = [
    "DeployPlan",
    "HorizonPlan",
    "RoutePlan",
    "StagePlan",
    "TaskPlan",
    "confidence_radius",
    "cost_lower_bound",
    "deploy_by_task",
    "deploy_mip",
    "fill_slots",
    "horizon_oracle",
    "route_lp",
    "score_upper_bound",
    "stage_oracle",
]
