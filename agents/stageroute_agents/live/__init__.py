"""Agents for live traffic: a router with books, budgets and a store that survives a kill."""

from stageroute_agents.live.router import Decision, Router

__all__ = ["Decision", "Router"]
