"""The consent ledger: each event of a consent is sealed, so that no row changes, goes or comes unnoticed.

Captures only write their rows, as fast as ever. The worker seals them within a second, in a chain that stands in a
table of its own: ``chain`` says what a seal is made of, ``sealing`` writes the chain, ``checking`` reads it again, and
``proof`` tells what it proves about one person.
"""
