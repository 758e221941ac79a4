"""Running agents, measuring and ranking them."""
