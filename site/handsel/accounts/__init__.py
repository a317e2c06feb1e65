"""Who may enter the desk: accounts, their sessions and sign-in links."""
