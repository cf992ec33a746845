"""`python -m gateway.openapi` prints the gateway's OpenAPI, from which the page's types are made."""

import json
import sys

from gateway.api.build import bare


def text() -> str:
    """The OpenAPI as JSON, always the same for the same code."""
    return json.dumps(bare().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
