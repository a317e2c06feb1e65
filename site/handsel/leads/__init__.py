"""Leads: who they are, what they asked for, what they agreed to, and the acts that span several subjects."""
