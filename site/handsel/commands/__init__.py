"""The commands of ``handsel``: one module a family, loaded by ``handsel.cli`` when one of its commands is called.

A module imports what is heavy inside its functions, because ``handsel --help`` loads all of them.
"""
