"""Whatever a client makes of the cloud's OpenAPI document, the service answers as the document says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from cloudd import cloud_thread
from hypothesis import HealthCheck, settings
from schemathesis import checks

schema = schemathesis.openapi.from_path(Path(__file__).parents[2] / "cloud" / "openapi.json")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cloud_thread(tmp_path_factory.mktemp("cloud")) as address:
        yield address


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_service_answers_as_its_document_says(case: schemathesis.Case, url: str) -> None:
    # A well-formed request may name no order, take an illegal step or reuse a key: refusing it is right.
    case.call_and_validate(base_url=url, excluded_checks=[checks.positive_data_acceptance])
