import numpy as np


class HorizonPlan:
    pass


def horizon_oracle(*a):
    pass


def stage_oracle(s, c, a, *r):
    return np.zeros(len(s)), s, np.ones(len(s), bool)
