"""Tests of landing pages: who saw which variant, and who converted."""
