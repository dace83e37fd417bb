"""The page "Learn": lessons beside the stage, step by step, on recorded runs."""
