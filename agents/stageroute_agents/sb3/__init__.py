"""Training with stable-baselines3, and agents from files.

Nothing here loads torch or stable-baselines3 before it is asked to train or to play.
"""
