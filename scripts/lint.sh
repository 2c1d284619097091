#!/usr/bin/env bash
# Format, lint and types. `scripts/lint.sh --fix` mends what can be mended.
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
