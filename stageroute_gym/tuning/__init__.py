"""Tuning: the parameters that suit an agent best on the worlds of a suite, alike for all agents."""
