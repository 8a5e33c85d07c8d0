import pytest
from packaging.metadata import parse_email

from ci_publish.distributions.core_metadata import parse_core_metadata
from ci_publish.model.core_metadata_form import REPEATED_FIELDS, SINGLE_FIELDS, core_metadata_form_fields
from ci_publish.model.distribution import CoreMetadata

EVERYTHING = "".join(f"{field.title()}: one\n" for field in SINGLE_FIELDS if field != "license") + "".join(
    f"{field.title()}: {value}\n" for field in REPEATED_FIELDS for value in ("one", "two")
)


def form(text: str) -> list[tuple[str, str]]:
    return list(core_metadata_form_fields(parse_core_metadata(text.encode()).metadata))


def test_the_required_fields_come_first_and_requires_python_even_when_empty() -> None:
    assert form("Metadata-Version: 2.4\nName: Demo\nVersion: 1.0\n") == [
        ("metadata_version", "2.4"),
        ("name", "Demo"),
        ("version", "1.0"),
        ("requires_python", ""),
    ]


def test_every_field_is_sent_under_its_name_as_often_as_it_stands() -> None:
    sent = form(f"Metadata-Version: 2.5\nName: demo\nVersion: 1\nRequires-Python: >=3\n{EVERYTHING}\nHello\n")
    names = [name for name, _ in sent]
    assert {names.count(name) for field, name in SINGLE_FIELDS.items() if field != "license"} == {1}
    assert {names.count(name) for name in REPEATED_FIELDS.values()} == {2}
    assert ("requires_python", ">=3") in sent
    assert sent[-1] == ("description", "Hello\n")


def test_the_form_says_what_packaging_reads_from_the_file() -> None:
    text = f"Metadata-Version: 2.5\nName: demo\nVersion: 1\nKeywords: a,b\n{EVERYTHING}\nHello wörld\n"
    raw, _ = parse_email(text.encode())
    sent = form(text)
    assert [value for name, value in sent if name == "classifiers"] == raw["classifiers"]
    assert [value for name, value in sent if name == "license_file"] == raw["license_files"]
    assert dict(sent)["description"] == raw["description"]
    assert dict(sent)["keywords"] == ", ".join(raw["keywords"])


@pytest.mark.parametrize("value", ["", "UNKNOWN", "  "])
def test_empty_and_unknown_values_are_not_sent(value: str) -> None:
    sent = dict(form(f"Metadata-Version: 2.1\nName: demo\nVersion: 1\nSummary: {value}\nClassifier: {value}\n"))
    assert not {"summary", "classifiers", "keywords"} & sent.keys()


@pytest.mark.parametrize(
    ("version", "sent"), [("2.1", False), ("2.3", False), ("2.4", True), ("3.0", True), ("x", True)]
)
def test_licence_files_are_sent_since_metadata_2_4(version: str, *, sent: bool) -> None:
    metadata = CoreMetadata(metadata_version=version, name="demo", version="1", fields=(("license-file", "LICENSE"),))
    assert (("license_file", "LICENSE") in core_metadata_form_fields(metadata)) is sent
