"""Every method of the tables behind one interface: `fit(bundle)`, then `classify(batch)`.

A method answers which class the clean signal had, which attack made x', or both; `METHODS` lists
them by key, in the order of the tables' columns.
"""

from red_core.methods.method import ANSWERS, Answers, Method, Watch
from red_core.methods.registry import METHODS, fit, methods_of

__all__ = ["ANSWERS", "METHODS", "Answers", "Method", "Watch", "fit", "methods_of"]
