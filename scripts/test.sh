#!/usr/bin/env bash
# Makes the environment and the sandbox's programs where they are not there yet, and runs all tests.
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
  pytest -n 6 --dist worksteal --ignore=tests/manifests/test_manifests_api.py \
    --ignore=tests/manifests/test_check_bare_server.py \
    --deselect tests/readme/test_readme.py::test_its_commands_run_in_order \
    tests/unit tests/rules tests/cli tests/process tests/readme tests/manifests "$@"
  exit
fi

# The tests start a sandbox of their own and end it; only its programs are made here, so that their building is seen.
scripts/sandbox.sh build
[ $# -eq 0 ] || exec pytest "$@"

# Each group has a sandbox of its own: what one does to its API servers (they are stopped and killed) is not another's
# trouble. A test that fails gets one more try in a fresh sandbox, and that is said: the machine may have been busy.
failed=0
group() {
  local status=0
  pytest "$@" || status=$?
  if [ "$status" -eq 1 ]; then
    echo "some failed: once more, those alone, in a fresh sandbox" >&2
    status=0
    pytest --last-failed --last-failed-no-failures none "$@" || status=$?
  fi
  [ "$status" -eq 0 ] || failed=1
}
alone=(tests/sandbox_infra tests/standin tests/faults tests/kill)
for folder in "${alone[@]}"; do group "$folder"; done
group tests "${alone[@]/#/--ignore=}"
exit $failed
