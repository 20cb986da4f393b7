#!/usr/bin/env bash
# Make the virtual environment $1 with every extra and the test group, as pinned in requirements.lock.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}

say() { printf 'setup: %s\n' "$*"; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  say "$($python --version 2>&1) is too old: Python 3.11 or newer is needed. Try: make setup PYTHON=python3.11"; exit 1; }

if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
  rm -rf "$venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian's python3-venv"
    apt-get update -qq && apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends python3-venv >/dev/null
    "$python" -m venv "$venv"
  else
    say "$python cannot make a virtual environment. Fix: install the python3-venv package, then run make again"; exit 1
  fi
fi

say "installing the locked dependencies (about 1 GB; a minute or so)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.5"
# The lock carries hashes: what is installed is what was tested.
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements.lock
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable .
say "done"
