"""Companies: who is behind the mail domains of leads, as far as somebody said so."""
