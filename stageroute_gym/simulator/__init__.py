"""The simulator: a world as arrays, and the compiled kernels that play episodes in it."""
