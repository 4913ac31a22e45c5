"""What the machinery costs: `engine` trains many runs in one pass, `layer` is batch norm."""
