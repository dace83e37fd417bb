"""The page "Landscape": what it is asked for, what computes for it, and what it draws."""
