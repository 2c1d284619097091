#!/usr/bin/env bash
# Makes the environment and the sandbox's programs where they are not there yet, and runs all tests.
# Arguments go to pytest: scripts/test.sh tests/unit -k naming
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH
# The tests start a sandbox of their own and end it; only its programs are made here, so that their building is seen.
scripts/sandbox.sh build
exec pytest "$@"
