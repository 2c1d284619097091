#!/usr/bin/env bash
# Creates the environment and the sandbox's programs if they are missing, and runs all tests.
# Arguments go to pytest: scripts/test.sh tests/unit -k naming
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH

# `--quick`: the tests that need no sandbox, in two workers. It builds nothing of the sandbox, and prints its time.
# Further arguments go to pytest.
if [ "${1:-}" = --quick ]; then
  shift
  trap 'echo "quick tests: $SECONDS s"' EXIT
  pytest -n 2 --dist worksteal --ignore=tests/packaging \
    --deselect tests/readme/test_readme.py::test_its_commands_run_in_order \
    tests/unit tests/rules tests/cli tests/process tests/readme tests/manifests "$@"
  exit
fi

# The tests start and end their own sandbox. Its programs are built here, so that the progress is visible.
scripts/sandbox.sh build
[ $# -eq 0 ] || exec pytest "$@"

# Prints the total time however the run ends.
trap 'echo "all tests: $((SECONDS / 60)) min $((SECONDS % 60)) s"' EXIT
failed=0
group() { pytest "$@" || failed=1; }

# Each pytest-xdist worker starts a sandbox of its own, so a test that stops an API server or sets a fault for a whole
# server does not disturb another worker.
for folder in tests/sandbox_infra tests/standin; do group -n 3 --dist worksteal "$folder"; done
# One process: hzlink and the Hazelcast members keep both cores busy already.
group tests/sandbox
# These two run several namespaces at once by themselves, and count over the whole session: one process each.
for folder in tests/faults tests/kill; do group "$folder"; done
# The command-line tests start many programs and keep both cores busy in one process.
group tests --ignore=tests/sandbox_infra --ignore=tests/standin --ignore=tests/sandbox --ignore=tests/faults \
  --ignore=tests/kill
exit $failed
