#!/usr/bin/env bash
# Creates the environment and the sandbox's programs if they are missing, and runs all tests.
# Arguments go to pytest: scripts/test.sh tests/unit -k naming
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH
# Every process of pytest and of the sandbox imports the same files: without compiled ones, each compiles them again.
unset PYTHONDONTWRITEBYTECODE

# `--quick`: unit tests, rules, command line and documents, without the tests that compare a tool of the tests with the
# real thing. It prints its time. There are more workers than cores because many command-line tests wait. Property tests
# try fewer examples. Further arguments go to pytest.
if [ "${1:-}" = --quick ]; then
  shift
  export HZLINK_QUICK_TESTS=1
  trap 'echo "quick tests: $SECONDS s"' EXIT
  pytest -n 6 --dist worksteal --ignore=tests/cli/test_forked.py --ignore=tests/cli/test_kubectl_answers.py \
    --deselect tests/readme/test_readme.py::test_commands_run_in_order \
    tests/cli tests/readme tests/rules tests/unit "$@"
  exit
fi

# The tests start and end their own sandbox. Its programs are built here, so that the progress is visible.
scripts/sandbox.sh build
[ $# -eq 0 ] || exec pytest "$@"

# The groups. kill and faults use several namespaces of one sandbox at once by themselves, and count over the whole
# session. In the third group each worker of pytest-xdist has a sandbox, so a test that stops an API server does not
# disturb others.
declare -A arguments=(
  [kill]="tests/kill/test_kill.py"
  [faults]="tests/faults"
  [others]="-n 2 --dist worksteal tests --ignore=tests/kill/test_kill.py --ignore=tests/faults"
)
logs=$(mktemp -d)
jobs=() failed=0 unreliable=()

finish() {
  rm -rf "$logs"
  [ ${#unreliable[@]} -eq 0 ] || printf 'passed only in the second run, to be fixed: %s\n' "${unreliable[@]}"
  echo "all tests: $((SECONDS / 60)) min $((SECONDS % 60)) s"
}
# pytest ends its sandbox on SIGINT. The groups run in the background, so that this script can react to a signal.
interrupt() {
  trap '' INT TERM
  touch "$logs/interrupted"
  for job in "${jobs[@]}"; do kill -INT -- "-$job" 2>/dev/null || true; done
  wait
  exit 130
}
trap finish EXIT
trap interrupt INT TERM

# One group, in a process group of its own. Its output is printed when it has ended, so that two do not mix.
run() {
  local name=$1 began=$SECONDS status=0
  shift
  # shellcheck disable=SC2086 # the arguments are several words
  pytest -o cache_dir=".pytest_cache/$name" "$@" ${arguments[$name]} >"$logs/$name" 2>&1 || status=$?
  flock "$logs" cat "$logs/$name"
  echo "tests of group $name: exit $status after $((SECONDS - began)) s"
  echo "$status" >"$logs/$name.status"
}
background() {
  set -m
  "$@" &
  set +m
  jobs+=($!)
}

# Both lanes take about as long: together they keep two cores busy.
lane() { for name in "$@"; do [ -e "$logs/interrupted" ] || run "$name"; done; }
background lane kill faults
background lane others
wait "${jobs[@]}" || true
jobs=()

# A test that fails is run once more when all groups have ended, so that one look tells a broken change from a test that
# is not reliable. Both are failures to mend: the second kind is counted and listed at the end.
for name in "${!arguments[@]}"; do
  case $(cat "$logs/$name.status" 2>/dev/null || echo 2) in
    0) continue ;;
    1) ;;
    *) failed=1; continue ;;
  esac
  mapfile -t first < <(pytest -o cache_dir=".pytest_cache/$name" --last-failed --last-failed-no-failures none \
    --collect-only -q ${arguments[$name]} 2>/dev/null | grep '::')
  background run "$name" --last-failed --last-failed-no-failures none
  wait "${jobs[@]}" || true
  jobs=()
  if [ "$(cat "$logs/$name.status")" -eq 0 ]; then unreliable+=("${first[@]}"); else failed=1; fi
done
exit $failed
