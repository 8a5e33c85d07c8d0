"""What PyPI will reject, known from the claims."""

from collections.abc import Mapping
from typing import Any

import pytest

from ci_publish import errors
from ci_publish.identity.local_refusals import gitlab_configuration_project, local_identity_refusal
from tests.unit.identity.credential_harness import GITHUB, GITLAB, OTHER, PYPI
from tests.unit.identity.job_claims import ACTIVESTATE, BUILDKITE, CALLED, CIRCLECI, GOOGLE, SELF_MANAGED, SHARED


@pytest.mark.parametrize("claims", [GITHUB, GITLAB, GOOGLE, CIRCLECI, SELF_MANAGED, ACTIVESTATE])
def test_nothing_is_held_against_good_claims(claims: Mapping[str, Any]) -> None:
    assert local_identity_refusal({**claims, "aud": "pypi"}, PYPI, attesting=True) is None


@pytest.mark.parametrize(
    ("claims", "error", "words"),
    [
        ({**GITLAB, "aud": ["pypi"]}, errors.InvalidIdentityToken, "a list"),
        ({**GITHUB, "event_name": "pull_request_target"}, errors.InvalidPublisher, "pull_request_target"),
        ({**GITHUB, "job_workflow_ref": CALLED}, errors.ReusableWorkflow, "attestations"),
        ({**GITHUB, "job_workflow_ref": SHARED}, errors.ReusableWorkflow, "another repository's"),
        (BUILDKITE, errors.InvalidIdentityPayload, "agent.buildkite.com"),
        ({**GITHUB, "iss": "https://ghe.example/_services/token"}, errors.InvalidIdentityPayload, "ghe.example"),
        ({**GITHUB, "iss": f"{GITHUB['iss']}/octo-enterprise"}, errors.InvalidIdentityPayload, "octo-enterprise"),
        ({**GITHUB, "iss": "https://codeberg.org/api/actions"}, errors.InvalidIdentityPayload, "codeberg.org"),
        ({**GITLAB, "ci_config_ref_uri": "gitlab.com/group/ci//p.yml@x"}, errors.PipelineElsewhere, "group/ci"),
        ({**GITHUB, "jti": None, "sha": ""}, errors.InvalidPublisher, "sha, jti"),
        ({**GITLAB, "ref_path": ""}, errors.InvalidPublisher, "ref_path"),
        ({**GOOGLE, "email": ""}, errors.InvalidPublisher, "email"),
    ],
)
def test_what_pypi_will_refuse_is_known_from_the_claims(
    claims: Mapping[str, Any], error: type[errors.CredentialRejected], words: str
) -> None:
    found = local_identity_refusal(claims, PYPI, attesting=True)
    assert type(found) is error
    assert words in found.summary
    assert found.hints
    assert local_identity_refusal(claims, OTHER, attesting=True) is None


def test_without_attestations_a_called_workflow_of_the_same_repository_is_fine() -> None:
    assert local_identity_refusal({**GITHUB, "job_workflow_ref": CALLED}, PYPI, attesting=False) is None


@pytest.mark.parametrize(
    ("uri", "elsewhere"),
    [
        (GITLAB["ci_config_ref_uri"], None),
        ("gitlab.com/Group/Sub/Demo//x.yml@refs/tags/v1", None),
        ("gitlab.com/group/sub/ci//x.yml@refs/tags/v1", "group/sub/ci"),
        ("gitlab.com:8443/ci//x/y.yml@refs/tags/v1", "ci"),
        ("", None),
        ("https://templates.example/x.yml", None),
    ],
)
def test_where_the_configuration_of_a_pipeline_is(uri: str, elsewhere: str | None) -> None:
    assert gitlab_configuration_project({**GITLAB, "ci_config_ref_uri": uri}) == elsewhere
    assert gitlab_configuration_project({"ci_config_ref_uri": uri}) is None
