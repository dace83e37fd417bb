"""Reverse engineering of deceptions: the paper's solver, its models, data and measurements.

The core knows torch and numpy only; it imports neither streamlit nor plotly. See README.md
for the map of the rooms.
"""
