#!/usr/bin/env bash
# Creates the environment and the sandbox's programs if they are missing, and runs all tests.
# Arguments go to pytest: scripts/test.sh tests/unit -k naming
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH

# `--quick`: the tests that need neither the sandbox nor an API server of their own, nor build a wheel. It prints its
# time. There are more workers than cores because many command-line tests wait. Further arguments go to pytest.
if [ "${1:-}" = --quick ]; then
  shift
  trap 'echo "quick tests: $SECONDS s"' EXIT
  pytest -n 4 --dist worksteal --ignore=tests/manifests/test_manifests_api.py \
    --ignore=tests/manifests/test_check_bare_server.py \
    --deselect tests/readme/test_readme.py::test_its_commands_run_in_order \
    tests/unit tests/rules tests/cli tests/process tests/readme tests/manifests "$@"
  exit
fi

# The tests start and end their own sandbox. Its programs are built here, so that the progress is visible.
scripts/sandbox.sh build
[ $# -eq 0 ] || exec pytest "$@"

# A test that fails is run once more, alone with the others that failed in its group, so that one look tells a broken
# change from a test that is not reliable. Both are failures to mend: the second kind is counted and listed at the end.
failed=0 unreliable=()
finish() {
  [ ${#unreliable[@]} -eq 0 ] || printf 'passed only in the second run, to be mended: %s\n' "${unreliable[@]}"
  echo "all tests: $((SECONDS / 60)) min $((SECONDS % 60)) s"
}
trap finish EXIT
group() {
  local status=0 first
  pytest "$@" || status=$?
  if [ "$status" -eq 1 ]; then
    mapfile -t first < <(pytest --last-failed --last-failed-no-failures none --collect-only -q "$@" 2>/dev/null | grep '::')
    status=0
    pytest --last-failed --last-failed-no-failures none "$@" || status=$?
    [ "$status" -ne 0 ] || unreliable+=("${first[@]}")
  fi
  [ "$status" -eq 0 ] || failed=1
}

# Each pytest-xdist worker starts a sandbox of its own, so a test that stops an API server or sets a fault for a whole
# server does not disturb another worker.
for folder in tests/sandbox_infra tests/standin; do group -n 3 --dist worksteal "$folder"; done
# One process: hzlink and the Hazelcast members keep both cores busy already.
group tests/sandbox
# These two run several namespaces at once by themselves, and count over the whole session: one process each.
for folder in tests/faults tests/kill; do group "$folder"; done
# More workers than cores: many of these tests wait.
group -n 4 --dist worksteal tests --ignore=tests/sandbox_infra --ignore=tests/standin --ignore=tests/sandbox \
  --ignore=tests/faults --ignore=tests/kill
exit $failed
