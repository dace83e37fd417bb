"""Reverse engineering of deceptions: the paper's solver, its models, data and measurements.

The core knows torch and numpy only; it imports neither streamlit nor plotly. docs/map.md leads
from the paper's terms to files and functions.
"""
