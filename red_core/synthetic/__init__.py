"""Realizable instances of the RED problem on which the theorems can be checked (5.1, B.1, B.5)."""

from red_core.synthetic.activations import ACTIVATIONS, Activation, activation
from red_core.synthetic.families import FAMILIES, Family
from red_core.synthetic.instances import Instances, make_instances
from red_core.synthetic.network import Network
from red_core.synthetic.own_matrix import MatrixError, read_matrix
from red_core.synthetic.settings import SCALES, STARTS, InstanceError, InstanceSettings

__all__ = [
    "ACTIVATIONS",
    "FAMILIES",
    "SCALES",
    "STARTS",
    "Activation",
    "Family",
    "InstanceError",
    "InstanceSettings",
    "Instances",
    "MatrixError",
    "Network",
    "activation",
    "make_instances",
    "read_matrix",
]
