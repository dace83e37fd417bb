"""The page "Error bound": Sections 4, 5.1, A.4, B.1, B.3 and B.5, live."""
