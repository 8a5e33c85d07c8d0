"""What the rehearsal's index says about uploads: PyPI's words, in PyPI's order."""

import base64
import hashlib
import hmac
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_publish.distributions.faults import ServerRefusal
from ci_publish.rehearsal.oidc import registered
from ci_publish.rehearsal.publishers import GitHubPublisher
from ci_publish.rehearsal.records import Fields
from tests.unit.rehearsal.served_index import ServedIndex, form_of, served_index, words

DAY = 24 * 60 * 60
SEE = "See https://pypi.org/help/"
PUBLISHER = GitHubPublisher("octo-org/demo", "release.yml")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


def test_a_wheel_and_an_sdist_are_taken(world: ServedIndex) -> None:
    wheel, sdist = world.wheel(), world.sdist()

    assert [words(world.upload(path, headers={"User-Agent": "tests/1.0"})) for path in (wheel, sdist)] == [
        (200, "OK"),
        (200, "OK"),
    ]
    stored = world.index.files
    assert set(stored) == {wheel.name, sdist.name}
    assert world.index.path_of(wheel.name).read_bytes() == wheel.read_bytes()
    assert stored[wheel.name].sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert stored[wheel.name].uploaded_via == "tests/1.0"
    assert (stored[wheel.name].python_version, stored[sdist.name].python_version) == ("py3", "source")


def test_nothing_that_arrived_is_left_lying_about(world: ServedIndex) -> None:
    world.upload()
    world.upload(sha256_digest="0" * 64)
    world.upload(summary=None, action="other")

    assert list((world.folder / "index" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"action": None}, 404, "Not Found"),
        ({"action": "nonsense"}, 404, "Not Found"),
        ({"action": "submit"}, 410, "Project pre-registration is no longer required or supported, upload your files"),
        ({"action": "doc_upload"}, 410, "Uploading documentation is no longer supported"),
        ({"protocol_version": "2"}, 400, "Unknown protocol version."),
        ({"name": None}, 400, "'' is an invalid value for Name. Error: This field is required. See https://packaging"),
        ({"name": "-x"}, 400, "'-x' is an invalid value for Name. Error: Start and end with a letter or numeral"),
        ({"name": "-" + "x" * 70}, 400, f"'-{'x' * 29}...{'x' * 30}' is an invalid value for Name."),
        ({"filetype": None}, 400, "Invalid value for filetype. Error: This field is required."),
        ({"filetype": "bdist_egg"}, 400, "Invalid value for filetype. Error: Use a known file type."),
        (
            {"pyversion": None},
            400,
            "Invalid value for pyversion. Error: Python version is required for binary",
        ),
        (
            {"filetype": "sdist"},
            400,
            "Invalid value for pyversion. Error: Use 'source' as Python",
        ),
        ({"sha256_digest": None}, 400, "Error: Include at least one message digest."),
        (
            {"sha256_digest": "xyz"},
            400,
            "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
        ),
        (
            {"blake2_256_digest": "xyz"},
            400,
            "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
        ),
        ({"metadata_version": None}, 400, "None is not a valid metadata version. See https://packaging.python.org"),
        ({"metadata_version": "2.6"}, 400, "'2.6' is not a valid metadata version. See https://packaging.python.org"),
        ({"version": "UNKNOWN"}, 400, "'version' is a required field. See"),
        ({"version": "one"}, 400, "'one' is invalid for 'version'. See"),
        ({"version": "1.0+local"}, 400, "The use of local versions in '1.0+local' is not allowed. See"),
        ({"name": "json"}, 400, "The name 'json' isn't allowed (conflict with Python Standard Library module name)"),
        (
            {"description": "Title\n==\n\n.. nonsense::\n"},
            400,
            (
                "The description failed to render in the default format of reStructuredText. "
                "See https://pypi.org/help/#description-content-type for more information."
            ),
        ),
        (
            {"description": "Title\n==\n\n.. nonsense::\n", "description_content_type": "text/x-rst"},
            400,
            "The description failed to render for 'text/x-rst'.",
        ),
        (
            {"description": "x", "description_content_type": "text/html"},
            400,
            "'description-content-type' must be one of",
        ),
        ({"summary": "x" * 513}, 400, "'summary' field must be 512 characters or less. See"),
        (
            {"requires_dist": "x @ https://example.org/x.whl"},
            400,
            "Can't have direct dependency: x @ https://example.org",
        ),
        (
            {"license": "MIT", "license_expression": "MIT"},
            400,
            "License is deprecated when License-Expression is present.",
        ),
        ({"sha256_digest": "0" * 64}, 400, "The digest supplied does not match a digest calculated from the uploaded"),
        ({"md5_digest": "0" * 32}, 400, "The digest supplied does not match a digest calculated from the uploaded"),
    ],
)
def test_a_bad_form_is_refused(world: ServedIndex, fields: dict[str, Any], status: int, reason: str) -> None:
    answered, said = words(world.upload(**fields))

    assert (answered, said[: len(reason)]) == (status, reason)
    assert world.index.files == {}
    assert world.index.state.projects == {}


@pytest.mark.parametrize("description", ["# Words", "Plain\n=====\n\nwords\n"])
@pytest.mark.parametrize("kind", ["text/markdown; variant=GFM", "text/plain"])
def test_a_description_that_renders_is_taken(world: ServedIndex, description: str, kind: str) -> None:
    assert world.upload(description=description, description_content_type=kind).status_code == 200


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("demo-1.0\x07.whl", "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character"),
        ("a/demo-1.0-py3-none-any.whl", "Cannot upload a file with '/' or '\\' in the name."),
        ("demo-1.0.exe", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        ("demo-1.0.tar.gz", "Invalid file extension: Extension .tar.gz is invalid for filetype bdist_wheel."),
    ],
)
def test_a_bad_filename_is_refused(world: ServedIndex, filename: str, reason: str) -> None:
    good: dict[str, Any] = {"filetype": "bdist_wheel", "pyversion": "py3", "name": "demo", "version": "1.0"}

    status, said = words(world.upload(filename=filename, **good))

    assert (status, said[: len(reason)]) == (400, reason)


@pytest.mark.parametrize("kind", ["image/png", ""])
def test_the_file_needs_a_type_of_its_own(world: ServedIndex, kind: str) -> None:
    wheel = world.wheel()

    answer = world.upload(wheel, content=(wheel.open("rb"), wheel.name, kind))

    assert words(answer) == (400, "Invalid distribution file.")


def test_a_file_without_a_type_is_text(world: ServedIndex) -> None:
    """Uv sends such parts (RFC 7578, section 4.4)."""
    wheel = world.wheel()
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form_of(wheel.name, wheel.read_bytes()).items()
    )
    file = f'--x\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n\r\n'
    body = fields.encode() + file.encode() + wheel.read_bytes() + b"\r\n--x--\r\n"

    answer = world.client.post(
        "/legacy/",
        data=body,
        content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {world.index.issue_api_token()}"},
    )

    assert (answer.status, list(world.index.files)) == ("200 OK", [wheel.name])


def test_a_field_that_came_as_a_file_is_refused(world: ServedIndex) -> None:
    answer = world.client.post(
        "/legacy/",
        data={":action": "file_upload", "summary": (io.BytesIO(b"x"), "summary.txt")},
        headers={"Accept": "application/json"},
    )

    assert words(answer) == (400, "summary: Should not be a tuple.")


def test_a_form_without_a_file_is_refused(world: ServedIndex) -> None:
    assert words(world.upload(content=None)) == (400, "Upload payload does not have a file.")


def test_what_is_no_form_is_refused(world: ServedIndex) -> None:
    answer = world.client.post("/legacy/", data=b"--x\r\nrubbish", content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 400
    assert answer.status.startswith("400 Malformed form")


def test_unknown_values_vanish_and_nuls_are_escaped(world: ServedIndex) -> None:
    world.upload(license=" UNKNOWN ", author="a\x00b", keywords="")

    release = world.index.state.projects["demo"].releases["1"]
    assert (release.first("license"), release.first("author"), release.first("keywords")) == (None, "a\\x00b", None)


class TestCredentials:
    def test_each_scheme_is_taken(self, world: ServedIndex) -> None:
        token = world.index.issue_api_token()
        basic = base64.b64encode(f"__token__:{token}\n".encode()).decode()

        answers = [
            world.upload(headers={"Authorization": value}).status_code
            for value in (f"Basic {basic}", f"Bearer {token}", f"token {token}")
        ]

        assert answers == [200, 200, 200]

    @pytest.mark.parametrize(
        "value", ["", "Basic", "Basic ###", "Basic /w==", "Digest x", "Bearer pypi-", "Bearer other"]
    )
    def test_nobody_is_refused(self, world: ServedIndex, value: str) -> None:
        answer = world.upload(headers={"Authorization": value})

        expected = f"Invalid or non-existent authentication information. {SEE}#invalid-auth for more information."
        assert words(answer) == (403, expected)

    def test_a_password_is_refused(self, world: ServedIndex) -> None:
        basic = base64.b64encode(b"ann:secret").decode()

        answer = world.upload(headers={"Authorization": f"Basic {basic}"})

        assert words(answer) == (
            403,
            (
                "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers "
                f"instead. {SEE}#apitoken and https://pypi.org/help/#trusted-publishers"
            ),
        )

    def test_an_expired_token_is_refused(self, world: ServedIndex) -> None:
        token = world.minted()
        world.clock.now += 901

        assert words(world.upload(token=token)) == (
            403,
            "Invalid API Token: token is expired, token is expired",
        )

    def test_a_burnt_token_is_nobodys(self, world: ServedIndex) -> None:
        token = world.minted()
        world.client.post("/_/oidc/burn-token", json={"token": token})

        assert world.upload(token=token).status_code == 403
        assert [entry.burnt for entry in world.index.mint_log] == [True]

    def test_a_forged_token_is_refused(self, world: ServedIndex) -> None:
        token = world.index.issue_api_token()
        raw = bytearray(base64.urlsafe_b64decode(token.removeprefix("pypi-") + "=="))
        raw[-1] ^= 1
        forged = "pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

        assert words(world.upload(token=forged)) == (403, "Invalid API Token: signatures do not match")

    @pytest.mark.parametrize(
        ("caveat", "status"),
        [
            (b'[1,["demo","other"]]', 200),
            (b'[1,["other"]]', 403),
            (b"[0,1,0]", 403),
            (b'[4,"x",null]', 403),
            (b"[99]", 403),
            (b"{}", 403),
            (b"rubbish", 403),
        ],
    )
    def test_its_owner_can_restrict_a_token_further(self, world: ServedIndex, caveat: bytes, status: int) -> None:
        """A macaroon is restricted without asking anybody: one more caveat, and the signature signed with itself."""
        token = world.index.issue_api_token().removeprefix("pypi-")
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        before, signature = raw[:-35], raw[-32:]
        restricted = hmac.digest(signature, caveat, "sha256")
        data = before + bytes([2, len(caveat)]) + caveat + b"\0\0\x06\x20" + restricted

        answer = world.upload(token="pypi-" + base64.urlsafe_b64encode(data).decode())

        assert answer.status_code == status, answer.status

    def test_a_token_for_another_project_is_refused(self, world: ServedIndex) -> None:
        said = "project-scoped token is not valid for project: 'demo'"

        assert world.upload(token=world.index.issue_api_token("Demo")).status_code == 200
        assert words(world.upload(world.wheel(version="2"), token=world.index.issue_api_token("other"))) == (
            403,
            f"Invalid API Token: {said}, {said}",
        )

    @pytest.mark.parametrize(
        ("flag", "reason"),
        [
            ("read-only", "Read-only mode: Uploads are temporarily disabled."),
            ("disallow-new-upload", "New uploads are temporarily disabled."),
            ("disallow-new-project-registration", "New project registration temporarily disabled."),
        ],
    )
    def test_what_is_switched_off_is_refused(self, world: ServedIndex, flag: str, reason: str) -> None:
        world.index.rules.flags.add(flag)

        status, said = words(world.upload())

        assert (status, said[: len(reason)]) == (403, reason)


class TestProjects:
    def test_a_publisher_of_other_projects_cannot_create_one(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(PUBLISHER, "other")]) as world:
            status, said = words(world.upload(token=world.minted()))

        assert status == 400
        assert said.startswith("Non-user identities cannot create new projects. This was probably caused by")

    def test_a_publisher_cannot_upload_to_another_project(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(PUBLISHER, "other")]) as world:
            world.index.create_project("Demo")
            status, said = words(world.upload(token=world.minted()))

        assert status == 403
        assert said.startswith("Invalid API Token: OIDC scoped token is not valid for project 'Demo'")

    @pytest.mark.parametrize("name", ["d_e_m_o", "Dem0"])
    def test_a_name_that_looks_like_another_is_refused(self, world: ServedIndex, name: str) -> None:
        world.index.create_project("demo")

        said = words(world.upload(name=name))

        assert said == (
            400,
            f"The name {name!r} is too similar to an existing project. {SEE}#project-name for more information.",
        )

    def test_a_prohibited_name_is_refused(self, world: ServedIndex) -> None:
        world.index.rules.prohibited_names = frozenset({"demo"})

        assert words(world.upload())[1] == f"The name 'demo' isn't allowed. {SEE}#project-name for more information."

    def test_too_many_new_projects_have_to_wait(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 1
        first = world.upload(name="first", path=world.wheel("first"))
        world.clock.now += 600

        answer = world.upload()

        assert first.headers["RateLimit"] == '"project.create.user";r=1;t=86400'
        assert words(answer) == (429, "Too many new projects created")
        assert answer.headers["RateLimit"] == '"project.create.user";r=0;t=85800'
        assert answer.headers["RateLimit-Policy"] == '"project.create.user";q=1;w=86400;pk=:user:'
        world.clock.now += 85800
        assert world.upload().status_code == 200

    def test_the_limits_are_those_that_somebody_sets(self, world: ServedIndex) -> None:
        rules = world.index.rules
        rules.new_projects_of_address, rules.new_projects_of_user, rules.new_projects_window = 1, 20, 3600
        world.upload()

        answer = world.upload(world.wheel("second"))

        assert words(answer) == (429, "Too many new projects created")
        assert answer.headers["RateLimit"] == '"project.create.ip";r=0;t=3600, "project.create.user";r=19;t=3600'
        assert answer.headers["RateLimit-Policy"] == (
            '"project.create.ip";q=1;w=3600;pk=:ip:, "project.create.user";q=20;w=3600;pk=:user:'
        )

    def test_a_refused_project_says_what_is_left_and_takes_nothing_of_it(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 4

        refusals = [world.upload(world.wheel("smtplib")) for _ in range(5)]

        assert [answer.status_code for answer in refusals] == [400] * 5
        assert {answer.headers["RateLimit"] for answer in refusals} == {'"project.create.user";r=4;t=86400'}

    def test_files_of_a_project_that_exists_are_not_counted(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 1
        world.upload()

        answer = world.upload(world.sdist())

        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers

    def test_what_trusted_publishers_create_is_not_limited(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 0

        answer = world.upload(token=world.minted())

        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers

    @pytest.mark.parametrize("name", ["smtplib", "imp", "XML.etree", "urllib2"])
    def test_modules_of_any_python_are_no_names_of_projects(self, world: ServedIndex, name: str) -> None:
        said = words(world.upload(name=name))

        assert said[0] == 400
        assert said[1].startswith(f"The name {name!r} isn't allowed (conflict with Python Standard Library")

    @pytest.mark.parametrize("status", ["archived", "quarantined"])
    def test_a_closed_project_takes_nothing_from_a_publisher(self, world: ServedIndex, status: str) -> None:
        world.index.create_project("demo")
        world.index.set_status("demo", status)

        assert words(world.upload(token=world.minted())) == (
            403,
            f"The given token isn't allowed to upload to project 'demo'. {SEE}#project-name for more information.",
        )

    def test_an_owners_token_gets_into_a_quarantined_project_and_not_into_an_archived_one(
        self, world: ServedIndex
    ) -> None:
        world.index.create_project("demo")
        world.index.set_status("demo", "quarantined")
        quarantined = words(world.upload())
        world.index.set_status("demo", "archived")
        archived = words(world.upload(world.sdist()))

        assert quarantined == (200, "OK")
        assert archived[0] == 403
        assert archived[1].startswith("The user 'rehearsal' isn't allowed to upload to project 'demo'.")

    def test_the_first_file_of_a_release_describes_it_and_the_last_one_names_it(self, world: ServedIndex) -> None:
        world.upload(world.wheel(), name="demo", summary="first")
        world.upload(world.sdist(), name="Demo", summary="second")

        project = world.index.state.projects["demo"]
        assert (project.name, project.releases["1"].first("summary")) == ("Demo", "first")


class TestDuplicates:
    def test_the_same_file_again_is_ok_and_changes_nothing(self, world: ServedIndex) -> None:
        world.upload()
        serial = world.index.state.serial

        assert words(world.upload(attestations="rubbish")) == (200, "OK")
        assert world.index.state.serial == serial

    def test_other_bytes_under_the_name_are_refused(self, world: ServedIndex) -> None:
        world.upload()
        other = world.wheel(payload=b"y = 2\n")
        digest = hashlib.blake2b(other.read_bytes(), digest_size=32).hexdigest()

        assert words(world.upload(other)) == (
            400,
            (
                f"File already exists ('{other.name}', with blake2_256 hash '{digest}'). "
                f"{SEE}#file-name-reuse for more information."
            ),
        )

    def test_the_bytes_under_another_name_are_refused_in_the_same_words(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(wheel)

        status, said = words(world.upload(wheel, filename="demo-1.0-1-py3-none-any.whl"))

        assert (status, said[:50]) == (400, "File already exists ('demo-1.0-1-py3-none-any.whl'")

    def test_a_deleted_name_is_gone_for_good(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(wheel)
        world.index.delete_file(wheel.name)

        assert world.index.files == {}
        assert words(world.upload(world.wheel(payload=b"new\n")))[1] == (
            "This filename was previously used by a file that has since been deleted. Use a different version. "
            f"{SEE}#file-name-reuse for more information."
        )

    def test_an_old_release_takes_no_new_file_but_its_own_again(self, world: ServedIndex) -> None:
        world.upload()
        world.index.set_release_age("demo", "1.0", 14.1)

        assert words(world.upload(world.sdist())) == (
            400,
            "Uploading new files to releases older than 14 days is not allowed.",
        )
        assert words(world.upload()) == (200, "OK")

    def test_a_release_has_one_sdist(self, world: ServedIndex) -> None:
        first = world.sdist()
        second = first.with_name("Demo-1.0.tar.gz")
        world.upload(first)
        second.write_bytes(first.read_bytes() + b"\0")

        assert words(world.upload(second, name="demo")) == (400, "Only one sdist may be uploaded per release.")

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [
            ({"file_size_limit": 10}, "File too large. Limit for project 'demo' is 0 MB. See https://docs.pypi.org/"),
            ({"project_size_limit": 10}, "Project size too large. Limit for project 'demo' total size is 0 GB. See"),
        ],
    )
    def test_limits_are_kept(self, world: ServedIndex, limits: dict[str, int], reason: str) -> None:
        for name, value in limits.items():
            setattr(world.index.rules, name, value)

        status, said = words(world.upload())

        assert (status, said[: len(reason)]) == (400, reason)

    def test_a_projects_size_counts_all_its_files(self, world: ServedIndex) -> None:
        wheel, sdist = world.wheel(), world.sdist()
        world.index.rules.project_size_limit = wheel.stat().st_size + sdist.stat().st_size - 1

        assert [world.upload(path).status_code for path in (wheel, sdist)] == [200, 400]


class TestJudge:
    def test_the_judge_sees_the_file_and_its_words_are_the_answer(self, tmp_path: Path) -> None:
        seen: list[tuple[bytes, str, Fields]] = []

        def validate_file(path: Path, filename: str, form: Fields) -> ServerRefusal:
            seen.append((path.read_bytes(), filename, form))
            return ServerRefusal(400, "Invalid distribution file. Really.")

        with served_index(tmp_path, validate_file=validate_file) as world:
            wheel = world.wheel()
            answer = world.upload(wheel)

        assert words(answer) == (400, "Invalid distribution file. Really.")
        assert [(content, filename) for content, filename, _ in seen] == [(wheel.read_bytes(), wheel.name)]
        assert dict(seen[0][2])["summary"] == "Made by a test"

    def test_a_wheel_without_metadata_is_refused_whoever_judges(self, world: ServedIndex) -> None:
        file = world.folder / "demo-1.0-py3-none-any.whl"
        file.write_bytes(b"no archive")

        status, said = words(world.upload(file))

        assert status == 400
        assert said.startswith("Wheel 'demo-1.0-py3-none-any.whl' does not contain the required METADATA file")


class TestRaces:
    def race(self, world: ServedIndex, payloads: list[bytes]) -> list[int]:
        """Upload several files at the same time: each is held by the check until all have come so far."""
        versions = [world.wheel(payload=payload).read_bytes() for payload in payloads]
        answers: list[int] = []

        def upload(number: int, content: bytes) -> None:
            path = world.folder / str(number) / "demo-1.0-py3-none-any.whl"
            path.parent.mkdir()
            path.write_bytes(content)
            answers.append(world.upload(path).status_code)

        threads = [threading.Thread(target=upload, args=item) for item in enumerate(versions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return sorted(answers)

    @pytest.mark.parametrize(
        ("payloads", "racy", "expected"),
        [
            ([b"a", b"a"], False, [200, 200]),
            ([b"a", b"b"], False, [200, 400]),
            ([b"a", b"b"], True, [200, 500]),
        ],
    )
    def test_two_first_files_at_once(
        self,
        tmp_path: Path,
        payloads: list[bytes],
        racy: bool,
        expected: list[int],
    ) -> None:
        barrier = threading.Barrier(2, timeout=10)

        def validate_file(*_: object) -> None:
            barrier.wait()

        with served_index(tmp_path, validate_file=validate_file) as world:
            world.index.rules.racy = racy

            assert self.race(world, payloads) == expected
            assert len(world.index.files) == 1


def test_errors_come_as_the_client_asks(world: ServedIndex) -> None:
    answers = {accept: world.upload(name="<b>", headers={"Accept": accept}) for accept in ("", "*/*", "text/plain")}

    kinds = {accept: answer.mimetype for accept, answer in answers.items()}
    assert kinds == {"": "text/plain", "*/*": "text/html", "text/plain": "text/plain"}
    assert "<b>" not in answers["*/*"].text
    assert all("'<b>' is an invalid value for Name." in answer.status for answer in answers.values())


def test_the_body_repeats_the_words(world: ServedIndex) -> None:
    content = json.loads(world.upload(protocol_version="3").get_data())

    assert content == {
        "message": "The server could not comply with the request since it is either malformed or otherwise incorrect."
        "\n\n\nUnknown protocol version.\n\n",
        "code": "400 Unknown protocol version.",
        "title": "Bad Request",
    }


def test_words_that_do_not_fit_a_status_line_are_made_to_fit(world: ServedIndex) -> None:
    answer = world.upload(name="äß€\r\nX-Evil: 1")

    assert answer.status.startswith("400 'äß?\\r\\nX-Evil: 1' is an invalid value")
    assert "X-Evil" not in answer.headers


def test_a_missing_slash_is_redirected(world: ServedIndex) -> None:
    answer = world.client.post("/legacy", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.headers["Location"]) == (308, "http://localhost/legacy/")
    assert words(answer)[1].startswith("An upload was attempted to /legacy but the expected upload URL is /legacy/")
