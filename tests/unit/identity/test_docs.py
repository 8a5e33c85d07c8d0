from pathlib import Path

from ci_publish.errors import CredentialRejected, IdentityUnavailable, MintAnswerLost, error_classes
from ci_publish.identity.publisher_forms import publisher_form_for
from tests.unit.identity.credential_harness import GITHUB, GITLAB

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "trusted-publishing.md").read_text(encoding="utf-8")


def test_every_identity_failure_can_be_looked_up() -> None:
    classes = [IdentityUnavailable, CredentialRejected, MintAnswerLost]
    classes += [*error_classes(IdentityUnavailable), *error_classes(CredentialRejected)]
    assert [one.slug for one in classes if f"| `{one.slug}` |" not in PAGE] == []


def test_every_field_of_the_forms_is_explained() -> None:
    forms = [publisher_form_for(claims) for claims in (GITHUB, GITLAB)]
    assert [field.label for form in forms if form for field in form.fields if field.label not in PAGE] == []
