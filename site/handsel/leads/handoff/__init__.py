"""Handing leads over to sales: who gets which, what they answer, how soon they call, and what they put down.

A hand-over is open until somebody accepts or rejects it. Everything here happens in its caller's write transaction,
together with the mails that tell of it.
"""
