"""How ready a lead is, in whole points with reasons: who they are (fit) and what they did (interest).

``points`` is pure; ``past`` makes people as they were known at an earlier moment, and ``simulate`` asks what rules
would have said of them.
"""
