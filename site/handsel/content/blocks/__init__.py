"""The blocks of ``/// name | argument``: what each is called, takes and becomes."""

from handsel.content.blocks import funnel, prose  # noqa: F401  both fill the registry
from handsel.content.blocks.kinds import REGISTRY, Block, Kind, Option, Work

__all__ = ["REGISTRY", "Block", "Kind", "Option", "Work"]
