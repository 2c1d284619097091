# Sourced by the other scripts: creates or updates the checkout's virtual environment and puts it first on the PATH.
# Sets `root` (the checkout) and `python`.
# shellcheck shell=bash
#
# HZLINK_PYTHON  the Python for it (3.11 to 3.13); default: the first suitable one of python3.13, 3.12, 3.11, python3

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python

find_python() {
  local candidate
  for candidate in ${HZLINK_PYTHON:+"$HZLINK_PYTHON"} python3.13 python3.12 python3.11 python3; do
    # venv needs ensurepip, which some distributions do not install with python3.
    if "$candidate" -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "error: Python 3.11, 3.12 or 3.13 (with venv) is required; set HZLINK_PYTHON to one" >&2
  return 1
}

ensure_venv() {
  local wanted stamp=$venv/.hzlink-stamp base
  # Includes the path, because an editable install refers to its checkout.
  wanted=$({ echo "$root"; cat "$root/pyproject.toml"; } | sha256sum | cut -d' ' -f1)
  if [ -x "$python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  if ! [ -x "$python" ]; then
    base=$(find_python) || return
    echo "creating the virtual environment .venv with $("$base" --version)" >&2
    "$base" -m venv "$venv" || return
  fi
  echo "installing hzlink and the dependencies of the sandbox and the tests into .venv" >&2
  "$python" -m pip install -q --disable-pip-version-check -e "$root[dev]" || return
  echo "$wanted" >"$stamp"
}

# A lock, so that two scripts do not install at the same time.
exec 9<"$root"
flock 9
ensure_venv || exit 3
exec 9<&-
export PATH=$venv/bin:$PATH
