"""Agents that read the features of a query, but for the linear bandits, which need none."""
