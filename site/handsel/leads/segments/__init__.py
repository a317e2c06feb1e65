"""Segments in the database: a rule as SQL, how many leads it holds for, and the tags that rules put on."""
