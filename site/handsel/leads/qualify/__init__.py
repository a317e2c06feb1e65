"""Looking at a lead: everything that is believed of it is made anew from the facts, whenever something happened.

Whatever adds a fact sets the lead's ``look_at``; ``look`` does the rest, in the worker or in the transaction of a
desk's act that wants to see the outcome at once.
"""
