"""What visitors do before they are known: hits, their tallies, and the secret that forgets them each day."""
