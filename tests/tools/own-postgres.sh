#!/usr/bin/env bash
# own-postgres.sh FOLDER: a PostgreSQL that one test may restart and kill, at the socket in FOLDER, until it is told to
# end (SIGINT) or to fall over (SIGQUIT). What it holds is kept in FOLDER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/tools/lib.sh
source tests/tools/install.sh
find_postgres || die "PostgreSQL is missing; tests/run installs it"

as_user=()
if ((EUID == 0)); then # PostgreSQL refuses to run as root
  user=$(id -un postgres 2>/dev/null || echo nobody)
  as_user=("--reuid=$user" "--regid=$(id -gn "$user")" --clear-groups)
  chown "$user" "$1"
fi
cd "$1"
if [[ ! -d data ]]; then
  setpriv "${as_user[@]}" "$pg_bin/initdb" --pgdata="$1/data" --username=mostik \
    --auth=trust --encoding=UTF8 --no-locale --no-sync
fi
exec setpriv --pdeathsig INT "${as_user[@]}" "$pg_bin/postgres" -D "$1/data" -c listen_addresses= \
  -c "unix_socket_directories=$1" -c max_connections=50 -c fsync=off -c full_page_writes=off
