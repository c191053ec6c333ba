#!/usr/bin/env bash
# sweep-databases.sh URL: every test makes a database and leaves it behind; those whose test has ended are dropped, so that a
# whole run fits on a small disk. Their names end in the test's process id.
set -uo pipefail

while sleep 5; do
  psql -XAtqw "$1" -c "SELECT datname FROM pg_database WHERE datname LIKE 't\\_%'" | while read -r name; do
    kill -0 "${name##*_}" || printf 'DROP DATABASE IF EXISTS %s WITH (FORCE);\n' "$name"
  done 2>/dev/null | psql -Xqw "$1" >/dev/null
done
