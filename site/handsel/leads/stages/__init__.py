"""How far leads are: changes of stage with their reasons, BANT, events of the product, and which offer was worth it."""
