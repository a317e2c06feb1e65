"""The list of leads: the words that a search looks up, pages in any order, saved views, and acts on many at once."""
