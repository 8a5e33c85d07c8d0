"""What the linters of CI files are given."""

import pytest

from scripts.lint_ci_files import with_lists

HEADER = """
spec:
  inputs:
    rules:
      type: array
      default:
        - if: $CI_COMMIT_TAG
    stage:
      default: deploy
    bare:
"""


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ("rules: $[[ inputs.rules ]]", 'rules: [{"if": "$CI_COMMIT_TAG"}]'),
        ('stage: "$[[ inputs.stage ]]"', 'stage: "$[[ inputs.stage ]]"'),
        ("$[[ inputs.bare ]]", "$[[ inputs.bare ]]"),
    ],
)
def test_array_inputs_are_replaced_by_their_defaults(jobs: str, expected: str) -> None:
    assert with_lists(jobs, HEADER) == expected
