"""Predicted quality: how likely sales accepts a lead, learned from what it accepted, rejected and won before.

``logistic`` and ``measures`` are arithmetic on plain lists; ``properties`` says what of a person the model looks at;
``training`` is what the worker does once a day, ``predicting`` what every look at a lead does with the outcome.
"""
