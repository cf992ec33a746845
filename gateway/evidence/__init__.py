"""Pictures of fruit: how they come, and where they are kept under a quota."""
