"""What a person who agreed to be recognised does here: the pages they look at, and the links of letters they follow."""
