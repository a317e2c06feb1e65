"""What the law gives a person: to know what is held, to take it along, and to have it erased.

``schema`` finds the tables that tell of people, ``traces`` those that do without saying so by a key, ``parcel`` packs
all of it for the person, ``register`` writes the processing register. Erasing itself is ``leads.forget``.
"""
