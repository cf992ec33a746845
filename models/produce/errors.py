"""What can go wrong with training and judging models.

ModelsError
"""


class ModelsError(Exception):
    """Data, packages or files are missing or not as they should be; the message says which and what to do."""
