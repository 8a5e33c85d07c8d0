"""Claims of CI jobs that the credential harness has none of."""

from collections.abc import Mapping
from typing import Any

from ci_publish.identity.publisher_forms import publisher_form_for
from tests.unit.identity.credential_harness import GITLAB

GOOGLE = {
    "iss": "https://accounts.google.com",
    "email": "ci@p.iam.gserviceaccount.com",
    "sub": "1",
    "email_verified": True,
}


CIRCLECI = {
    "iss": "https://oidc.circleci.com/org/123",
    "oidc.circleci.com/org-id": "org",
    "oidc.circleci.com/project-id": "project",
    "oidc.circleci.com/pipeline-definition-id": "pipeline",
}


BUILDKITE = {"iss": "https://agent.buildkite.com", "organization_slug": "octo", "pipeline_slug": "demo"}


GITLAB_CONFIG = "gitlab.corp.example/Group/Sub/demo//ci/publish.yml@refs/tags/v1"


SHARED = "octo-org/shared/.github/workflows/publish.yml@v1"


CALLED = "octo-org/demo/.github/workflows/_publish.yml@refs/tags/v1"


SELF_MANAGED = {**GITLAB, "iss": "https://gitlab.corp.example", "ci_config_ref_uri": GITLAB_CONFIG}


ACTIVESTATE = {"iss": "https://platform.activestate.com/api/v1/oauth/oidc", "sub": "org:demo"}


def values(claims: Mapping[str, Any]) -> dict[str, str]:
    form = publisher_form_for(claims)
    assert form is not None
    return {"provider": form.provider, **{field.parameter: form.values[field.parameter] for field in form.fields}}
