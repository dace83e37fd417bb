"""The page "Compare": every method of the tables on one attacked image, side by side and live."""
