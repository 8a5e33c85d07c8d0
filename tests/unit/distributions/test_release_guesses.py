from pathlib import Path

import pytest

from ci_publish.distributions.release_guesses import guess_releases_of_paths


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_a_release_is_known_by_its_names_before_any_file_is_opened(tmp_path: Path) -> None:
    touch(tmp_path, "My_Demo-1.0.0-py3-none-any.whl", "my_demo-1.0.0.tar.gz", "my_demo-1.0.0-cp313-cp313-win_amd64.whl")
    assert guess_releases_of_paths([str(tmp_path)]) == (("my-demo", "1.0.0"),)


def test_each_release_is_named_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    touch(tmp_path, "b-1.tar.gz", "a-2.tar.gz", "a-1-py3-none-any.whl")
    assert guess_releases_of_paths([str(tmp_path)]) == (("a", "1"), ("a", "2"), ("b", "1"))
    assert guess_releases_of_paths([str(tmp_path / "b-*"), str(tmp_path)]) == (("b", "1"), ("a", "1"), ("a", "2"))


@pytest.mark.parametrize(
    "name", ["README.md", "demo.whl", "demo-1.0.whl", "demo.tar.gz", "demo-x.tar.gz", "demo-1.0.zip.part"]
)
def test_what_is_named_otherwise_is_passed_over(tmp_path: Path, name: str) -> None:
    assert guess_releases_of_paths([str(touch(tmp_path, name))]) == ()


def test_what_is_not_there_is_passed_over(tmp_path: Path) -> None:
    assert guess_releases_of_paths([str(tmp_path / "nothing"), str(tmp_path / "*.whl")]) == ()
