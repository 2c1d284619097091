#!/usr/bin/env bash
# Checks format, lint rules and types. `scripts/lint.sh --fix` fixes what ruff can fix.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH
if [ "${1:-}" = --fix ]; then
  ruff check --fix .
  ruff format .
else
  ruff check .
  ruff format --check .
fi
mypy
