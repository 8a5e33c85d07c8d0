"""The files that a run leaves: writable before anything irreversible, and not root's afterwards."""

import sys
from pathlib import Path

import pytest

from ci_publish.app.output_files import (
    give_outputs_to_workspace_owner,
    refuse_inputs_as_output_files,
    refuse_outputs_linked_outside,
    require_writable_outputs,
    without_unusable_reports,
)
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError

OPTIONS = ("attestations_dir", "output_dir", "reports_dir", "receipt", "env_file")
FILES = ("receipt", "env_file")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_place_that_can_be_written_to_is_left_as_it_was(tmp_path: Path, option: str) -> None:
    (tmp_path / "there").mkdir()
    for path in (tmp_path / "there", tmp_path / "there" / "a" / "b"):
        target = path / "receipt.json" if option in FILES else path
        require_writable_outputs(Settings.model_validate({option: target}))

    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


@pytest.mark.parametrize("option", OPTIONS)
def test_a_place_below_a_file_is_refused_by_the_option_s_name(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=option.replace("_", "-")) as caught:
        require_writable_outputs(Settings.model_validate({option: tmp_path / "file" / "out"}))

    assert "Not a directory" in caught.value.summary


@pytest.mark.parametrize("option", ["attestations_dir", "reports_dir"])
def test_a_file_is_no_folder(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="Not a directory"):
        require_writable_outputs(Settings.model_validate({option: tmp_path / "file"}))


@pytest.mark.parametrize("option", FILES)
def test_a_folder_is_no_output_file(tmp_path: Path, option: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Is a directory"):
        require_writable_outputs(Settings.model_validate({option: tmp_path}))


@pytest.mark.parametrize("option", ["attestations_dir", "output_dir"])
def test_folders_for_attestations_need_not_be_writable_for_a_command_that_signs_nothing(
    tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").write_text("")
    require_writable_outputs(Settings.model_validate({option: tmp_path / "file"}), signs=False)


class TestInputs:
    """An output file never replaces a distribution, nor anything else that the run reads."""

    @pytest.mark.parametrize("option", FILES)
    @pytest.mark.parametrize(
        "name", ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "demo.ZIP", "demo-1.0.tar.gz.publish.attestation"]
    )
    @pytest.mark.parametrize("exists", [True, False])
    def test_the_name_of_a_distribution(self, tmp_path: Path, option: str, name: str, *, exists: bool) -> None:
        if exists:
            (tmp_path / name).write_text("kept")
        with pytest.raises(ConfigurationError, match="name of a distribution") as caught:
            refuse_inputs_as_output_files(Settings.model_validate({option: tmp_path / name}))
        assert option.replace("_", "-") in caught.value.hints[0]
        assert (tmp_path / name).exists() is exists

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_a_link_to_a_distribution(self, tmp_path: Path) -> None:
        (tmp_path / "variables").symlink_to("demo-1.0.zip")
        with pytest.raises(ConfigurationError, match="name of a distribution"):
            refuse_inputs_as_output_files(Settings(env_file=tmp_path / "variables"))

    @pytest.mark.parametrize("option", FILES)
    @pytest.mark.parametrize("read", ["paths", "config_file", "sigstore_trust_config", "subjects"])
    def test_a_file_that_is_read(self, tmp_path: Path, option: str, read: str) -> None:
        (tmp_path / "read").write_text("kept")
        given = (str(tmp_path / "read"),) if read == "paths" else tmp_path / "read"
        for name, refused in (("read", True), ("other", False)):
            settings = Settings().model_copy(update={option: tmp_path / name, read: given})
            if refused:
                with pytest.raises(ConfigurationError, match="reads that file"):
                    refuse_inputs_as_output_files(settings)
            else:
                refuse_inputs_as_output_files(settings)

    def test_a_pattern_or_a_release_is_no_file(self, tmp_path: Path) -> None:
        for path in ("dist/*.whl", "demo==1.0"):
            refuse_inputs_as_output_files(Settings(receipt=tmp_path / "r.json", paths=(path,)))

    def test_reports_that_must_not_be_written_are_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for unusable in ("demo-1.0.zip", "", "file/r.json"):
            left = without_unusable_reports(Settings(receipt=tmp_path / unusable, reports_dir=tmp_path / "out"))
            assert (left.receipt, left.reports_dir) == (None, tmp_path / "out")
        left = without_unusable_reports(Settings(receipt=tmp_path / "r.json", reports_dir=tmp_path / "file"))
        assert (left.receipt, left.reports_dir) == (tmp_path / "r.json", None)


def test_a_path_that_no_system_takes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="reports_dir"):
        require_writable_outputs(Settings(reports_dir=Path("a\0b")))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
class TestLinks:
    """A checkout may hold any link: what is written by a path inside it stays inside."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for name in ("work/inner", "elsewhere/inner"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "work" / "out").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "work" / "relative").symlink_to("../elsewhere")
        (tmp_path / "work" / "within").symlink_to("inner")
        (tmp_path / "work" / "circle").symlink_to("circle")
        (tmp_path / "also").symlink_to("work")
        monkeypatch.chdir(tmp_path / "work")
        return tmp_path

    @pytest.mark.parametrize("option", [*OPTIONS, "world"])
    @pytest.mark.parametrize(
        "path",
        ["out", "out/a", "out/inner", "relative/a", "out/../a", "./out/a", "within/../out", "circle", "circle/a"],
    )
    def test_a_path_that_leads_out_is_refused(self, folder: Path, option: str, path: str) -> None:
        for written in (Path(path), folder / "work" / path, folder / "also" / path):
            with pytest.raises(ConfigurationError, match=option.replace("_", "-")):
                refuse_outputs_linked_outside(Settings.model_validate({option: written}))

    @pytest.mark.parametrize("option", [*OPTIONS, "world"])
    def test_other_paths_are_used_as_given(self, folder: Path, option: str) -> None:
        inside = [Path(each) for each in ("a", "inner/a", "within", "within/a/b", "inner/../a")]
        outside = [folder / "elsewhere", Path("../elsewhere/a"), folder / "also", Path("../also/a")]
        for path in (*inside, *outside):
            refuse_outputs_linked_outside(Settings.model_validate({option: path}))


class CredentialOptions:
    """What was given away, instead of giving it away."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.owners: set[tuple[int, int]] = set()

    def __call__(self, path: Path, user: int, group: int) -> None:
        self.owners.add((user, group))
        self.paths.add(path.name)


@pytest.mark.skipif(sys.platform == "win32", reason="there, files have no such owner")
class TestGiving:
    def test_files_and_the_folders_that_lead_to_them(self, tmp_path: Path) -> None:
        (tmp_path / "out" / "attestations").mkdir(parents=True)
        for name in ("receipt.json", "attestations/a.whl.publish.attestation", "attestations/other.txt"):
            (tmp_path / "out" / name).write_text("")
        settings = Settings(
            receipt=tmp_path / "out" / "receipt.json", attestations_dir=tmp_path / "out" / "attestations"
        )
        given = CredentialOptions()

        give_outputs_to_workspace_owner(settings, {"GITHUB_WORKSPACE": str(tmp_path)}, is_root=True, chown=given)

        assert given.paths == {"out", "attestations", "receipt.json", "a.whl.publish.attestation"}
        assert given.owners == {(tmp_path.stat().st_uid, tmp_path.stat().st_gid)}

    @pytest.mark.parametrize("root", [True, False])
    def test_nothing_outside_of_the_workspace_and_nothing_by_others_than_root(
        self, tmp_path: Path, *, root: bool
    ) -> None:
        workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
        for folder in (workspace, elsewhere):
            folder.mkdir()
            (folder / "r.json").write_text("")
        (workspace / "link").symlink_to(elsewhere)
        given = CredentialOptions()
        environ = {"GITHUB_WORKSPACE": str(workspace)}

        give_outputs_to_workspace_owner(
            Settings(receipt=workspace / "link" / "r.json"), environ, is_root=root, chown=given
        )
        give_outputs_to_workspace_owner(Settings(receipt=workspace / "r.json"), {}, is_root=root, chown=given)
        give_outputs_to_workspace_owner(Settings(receipt=workspace / "r.json"), environ, is_root=root, chown=given)

        assert given.paths == ({"r.json"} if root else set())

    def test_what_cannot_be_given_away_stays(self, tmp_path: Path) -> None:
        (tmp_path / "r.json").write_text("")

        def refuse(path: Path, *_: int) -> None:
            raise PermissionError(path)

        settings = Settings(receipt=tmp_path / "r.json", attestations_dir=tmp_path / "never")
        give_outputs_to_workspace_owner(settings, {"GITHUB_WORKSPACE": str(tmp_path)}, is_root=True, chown=refuse)

        assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_the_standard_output_may_get_the_receipt() -> None:
    require_writable_outputs(Settings(receipt=Path("/dev/stdout")))
    require_writable_outputs(Settings(receipt=Path("/dev/null")))
