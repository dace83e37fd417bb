"""A run as a stream of records and as a file, and the plane on which its path is seen."""
