#!/usr/bin/env bash
# prepare-forum.sh URL PYTHON FOLDER: makes the database `forum` on the server of URL: a forum of Misago with its accounts, of
# which each test that wants one takes a copy. What was made is kept beside PYTHON, since making it takes a while; what is left
# over lies in FOLDER. Stays until it is ended.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

kept=$(dirname "$2")/../forum-$(sha256sum <forum.py | head -c 16).sql
database=${1%/*}/forum_to_be
psql -XAtqw "$1" -c 'CREATE DATABASE forum_to_be'
if [[ -f $kept ]]; then
  psql -XAtqw -v ON_ERROR_STOP=1 "$database" <"$kept" >/dev/null
else
  PYTHONDONTWRITEBYTECODE=1 FORUM_DATABASE=$database FORUM_FILES=$3 "$2" forum.py prepare
  pg_dump --no-owner "$database" >"$kept.$$"
  mv "$kept.$$" "$kept"
fi
psql -XAtqw "$1" -c 'ALTER DATABASE forum_to_be RENAME TO forum'
exec sleep infinity
