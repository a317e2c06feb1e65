"""Files of leads: read, mapped, checked row by row, written as captures of their own, and taken back."""
