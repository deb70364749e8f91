"""From the host to the boards: inventory, provisioning, push."""
