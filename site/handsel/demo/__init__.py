"""Sample visitors, leads and experiments with months of history, for the desks of a site that has none yet."""
