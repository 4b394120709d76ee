"""Messages in, integers out: masked, their templates found, their addresses, users and numbers kept."""
