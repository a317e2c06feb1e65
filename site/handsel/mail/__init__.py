"""Mail: messages and their states, how they are made, handed over, retried and suppressed."""
