"""Layouts of exports: which columns a file of leads has, what they are called there, and what was taken with them."""
