# shellcheck shell=bash
# Run a script with the first Python that is new enough: from PATH, then from the runner's tool cache.
# usage: bash python.sh SCRIPT [ARGUMENT…]
for python in python3 python "${RUNNER_TOOL_CACHE:-/nowhere}"/Python/3.1[1-9].*/*/{bin/python3,python.exe}; do
  if "$python" -IB -X utf8 -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$python" -IBu -X utf8 "$@"
  fi
done
echo '::error title=ci-publish found no Python 3.11 or newer::Put actions/setup-python before this step, or use the containerized action.'
exit 2
