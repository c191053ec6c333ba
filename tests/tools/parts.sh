# shellcheck shell=bash
# Starts the real parts the tests talk to, on 127.0.0.1 and free ports, with everything they write in $work; stops them.

declare -A part_pid part_signal

start_parts() {
  local pg_port pooler_port fhir_port smart_port auth_port gate_port pyrofile_port medplum_port
  local receiver_port mail_port
  read -r pg_port pooler_port fhir_port smart_port auth_port gate_port pyrofile_port medplum_port receiver_port mail_port \
    < <(free_ports 10)
  validator_urls="http://127.0.0.1:$pyrofile_port http://127.0.0.1:$medplum_port"

  # The slow starters first; initdb fills the time.
  launch pyrofile TERM "$tools/venv/bin/python" tests/tools/validate.py "$pyrofile_port"
  launch medplum TERM node tests/tools/validate.mjs "$medplum_port"
  launch receiver TERM "$tools/venv/bin/python" tests/tools/receiver.py "$receiver_port" "$mail_port"
  launch_fhir "$fhir_port"
  launch_smart "$smart_port" "$auth_port" "$gate_port" "$fhir_port"
  launch_postgres "$pg_port"
  launch_pgbouncer "$pooler_port" "$pg_port"

  wait_for postgres "$pg_bin/pg_isready" -h 127.0.0.1 -p "$pg_port"
  wait_for pgbouncer "$pg_bin/pg_isready" -h 127.0.0.1 -p "$pooler_port"
  wait_for fhir answers "$fhir_port" /fhir/metadata
  wait_for smart answers "$smart_port" /fhir/metadata
  wait_for auth answers "$auth_port" /jwks
  wait_for gate answers "$gate_port" /fhir/metadata
  wait_for receiver answers "$receiver_port" /
  wait_for pyrofile answers "$pyrofile_port" /
  wait_for medplum answers "$medplum_port" /

  export MOSTIK_TEST_POSTGRES="postgres://mostik:$pg_password@127.0.0.1:$pg_port/postgres"
  launch sweeper TERM env PATH="$PATH:$pg_bin" bash tests/tools/sweep-databases.sh "$MOSTIK_TEST_POSTGRES"
  # Nothing waits for it but the tests that want it.
  launch forum TERM env PATH="$PATH:$pg_bin" bash tests/tools/prepare-forum.sh \
    "$MOSTIK_TEST_POSTGRES" "$tools/forum/bin/python" "$work"
  export MOSTIK_TEST_MISAGO="$tools/forum/bin/python"
  export MOSTIK_TEST_PGBOUNCER="127.0.0.1:$pooler_port"
  export MOSTIK_TEST_FHIR="http://127.0.0.1:$fhir_port/fhir"
  export MOSTIK_TEST_SMART_FHIR="http://127.0.0.1:$smart_port/fhir"
  export MOSTIK_TEST_SMART_ADMIN=$smart_admin
  export MOSTIK_TEST_SMART_KEYS=$work/smart
  export MOSTIK_TEST_AUTHORIZATION_SERVER="http://127.0.0.1:$auth_port"
  export MOSTIK_TEST_SMART_GATE="http://127.0.0.1:$gate_port/fhir"
  export MOSTIK_TEST_RECEIVER="http://127.0.0.1:$receiver_port"
  export MOSTIK_TEST_VALIDATORS="$validator_urls"
  export MOSTIK_TEST_SYNAPSE="$tools/venv/bin/python"
  MOSTIK_TEST_PROSODY=$(command -v prosody)
  export MOSTIK_TEST_CLIENTS="$tools/node/node_modules $tools/venv/bin/openapi-generator-cli"
  MOSTIK_TEST_BROWSER=$(command -v chromium)
  export MOSTIK_TEST_PROSODY MOSTIK_TEST_BROWSER
  export MOSTIK_TEST_REQUIRE=1
}

# Below the range from which the kernel answers "any port": tests ask that question all the time.
free_ports() {
  "$tools/venv/bin/python" - "$1" <<'END'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    candidate = socket.socket()
    try:
        candidate.bind(("127.0.0.1", random.randrange(20000, 32000)))
        held.append(candidate)
    except OSError:
        pass
print(*(socket.getsockname()[1] for socket in held))
END
}

# launch NAME SIGNAL COMMAND...: in the background, ended by SIGNAL. A session of its own keeps Ctrl-C away from it until
# the tests are over; the death signal covers a `kill -9` of this script. COMMAND may begin with options of setpriv.
launch() {
  local name=$1 signal=$2
  shift 2
  setsid setpriv --pdeathsig "$signal" "$@" </dev/null >"$work/$name.log" 2>&1 9>&- &
  part_pid[$name]=$!
  part_signal[$name]=$signal
  disown # or bash tells the world that it was terminated
}

launch_fhir() {
  # The simulator would answer for a clinic that nobody asked; notifications come as POST, as the bridge expects them.
  cat >"$work/fhir.yaml" <<END
host: 127.0.0.1
port: $1
base_url: http://127.0.0.1:$1/fhir
data_dir: $work
db_path: $work/fhir.db
simulator: {enabled: false}
subscriptions: {notify_method: post-endpoint}
log_inbound: false
END
  launch fhir TERM "$tools/venv/bin/sekmet" serve --config "$work/fhir.yaml" --host 127.0.0.1 --port "$1"
}

# A second FHIR server, which wants SMART tokens; an authorization server that knows the same clients; and a gate before the
# first FHIR server, which lets in whoever has a token of that one.
launch_smart() {
  mkdir -m 700 "$work/smart"
  smart_admin=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  "$tools/venv/bin/python" tests/tools/smart-fhir.py "$work/smart" "$1" "$smart_admin"
  launch smart TERM "$tools/venv/bin/sekmet" serve --config "$work/smart/smart.yaml" --host 127.0.0.1 --port "$1"
  launch auth TERM node tests/tools/authorization-server.mjs "$2" "$work/smart/jwks.json" "http://127.0.0.1:$3/fhir"
  launch gate TERM node tests/tools/smart-gate.mjs "$3" "http://127.0.0.1:$2" "http://127.0.0.1:$4/fhir"
}

launch_postgres() {
  local folder=$work/postgres as_user=() user
  pg_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  mkdir -m 700 "$folder"
  printf '%s\n' "$pg_password" >"$folder/password"
  if ((EUID == 0)); then # PostgreSQL refuses to run as root
    user=$(id -un postgres 2>/dev/null || echo nobody)
    as_user=("--reuid=$user" "--regid=$(id -gn "$user")" --clear-groups)
    chmod 711 "$work"
    chown -R "$user" "$folder"
  fi
  # A plain password on loopback: the usual exchange hashes 4096 times per connection, slowly in a test build.
  setpriv "${as_user[@]}" "$pg_bin/initdb" --pgdata="$folder/data" --username=mostik --pwfile="$folder/password" \
    --auth=password --encoding=UTF8 --no-locale --no-sync
  # No fsync: the tests kill the bridge, not the machine under the database, and what a killed client had committed
  # lies in the kernel's hands either way.
  launch postgres INT "${as_user[@]}" "$pg_bin/postgres" -D "$folder/data" -c "port=$1" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=200 -c fsync=off -c full_page_writes=off
}

# A pooler as deploy/runbook.md describes it, before every database of the server. So few sessions that clients have to
# share them; they end soon, because every test leaves a database behind.
launch_pgbouncer() {
  local as_user=() user
  printf '"mostik" "%s"\n' "$pg_password" >"$work/pgbouncer.users"
  cat >"$work/pgbouncer.ini" <<END
[databases]
* = host=127.0.0.1 port=$2
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $1
unix_socket_dir =
auth_type = plain
auth_file = $work/pgbouncer.users
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
server_idle_timeout = 5
query_wait_timeout = 10
END
  if ((EUID == 0)); then # nor does pgbouncer
    user=$(id -un postgres 2>/dev/null || echo nobody)
    as_user=("--reuid=$user" "--regid=$(id -gn "$user")" --clear-groups)
    chown "$user" "$work/pgbouncer.users"
  fi
  chmod 600 "$work/pgbouncer.users"
  launch pgbouncer INT "${as_user[@]}" pgbouncer "$work/pgbouncer.ini"
}

wait_for() {
  local name=$1 deadline=$((SECONDS + 60))
  shift
  until "$@" &>/dev/null; do
    is_running "$name" || part_failed "$name" "ended before it was ready"
    ((SECONDS < deadline)) || part_failed "$name" "did not get ready within a minute"
    sleep 0.1
  done
}

# answers PORT PATH: an HTTP 200, asked for without a tool that a bare machine might lack
answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    read -r -t 5 _ status _ <&3
    [[ $status == 200 ]]
  )
}

is_running() { kill -0 "${part_pid[$1]}" 2>/dev/null; }

part_failed() {
  die "$1 $2; the end of its log:
$(tail -n 30 "$work/$1.log")"
}

stop_parts() {
  local name
  for name in "${!part_pid[@]}"; do kill -s "${part_signal[$name]}" -- "-${part_pid[$name]}" 2>/dev/null || true; done
  for name in "${!part_pid[@]}"; do await_end "${part_pid[$name]}" 10; done
}

# await_end GROUP SECONDS: until no process of the group is left; then the hard way
await_end() {
  local deadline=$((SECONDS + $2))
  while kill -0 -- "-$1" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -s KILL -- "-$1" 2>/dev/null || true
    sleep 0.05
  done
}
