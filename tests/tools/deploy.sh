# shellcheck shell=bash
# Checks the files in deploy/ as far as that goes without a container engine and without systemd as the first process.

deployment_files() {
  local scratch
  install_deployment_tools
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/mostik-deploy.XXXXXX")
  # In a shell of its own, so that the folder goes whatever happens.
  (
    set -e
    trap 'rm -rf "$scratch"' EXIT
    "$tools/deploy/bin/hadolint" --failure-threshold style deploy/Containerfile
    "$tools/deploy/bin/yamllint" --strict --config-file tests/tools/yamllint.yaml deploy/compose.yaml
    "$tools/deploy/bin/check-jsonschema" --builtin-schema vendor.compose-spec deploy/compose.yaml
    "$tools/deploy/bin/python" tests/tools/check-deploy.py
    check_nginx "$scratch"
    check_unit "$scratch"
  )
}

install_deployment_tools() {
  local packages=()
  [[ -x /usr/sbin/nginx ]] || packages+=(nginx-light)
  command -v systemd-analyze >/dev/null || packages+=(systemd)
  command -v openssl >/dev/null || packages+=(openssl)
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
  ((${#packages[@]} == 0)) || apt_install "${packages[@]}"
  cmp -s tests/tools/deploy-requirements.txt "$tools/deploy/installed" || {
    python3 -m venv --clear "$tools/deploy"
    "$tools/deploy/bin/pip" install --quiet --disable-pip-version-check --no-input -r tests/tools/deploy-requirements.txt
    cp tests/tools/deploy-requirements.txt "$tools/deploy/installed"
  }
}

# nginx reads the certificate when it checks its configuration: it gets one of a day.
check_nginx() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=check \
    -keyout "$1/tls.key" -out "$1/tls.crt" 2>/dev/null
  sed -e "s#/tmp/#$1/#" -e "s#/run/secrets/#$1/#" deploy/nginx.conf >"$1/nginx.conf"
  /usr/sbin/nginx -t -q -c "$1/nginx.conf"
}

# systemd wants to see the binary; any will do. What it cannot read it only tells.
check_unit() {
  local told
  sed "s#/usr/local/bin/mostik#/bin/true#" deploy/mostik.service >"$1/mostik.service"
  told=$(systemd-analyze verify --man=no "$1/mostik.service" 2>&1) || told+=" (refused)"
  if [[ -n $told ]]; then
    printf '%s\n' "$told"
    return 1
  fi
  systemd-analyze security --offline=yes --no-pager --threshold=15 "$1/mostik.service" >"$1/security" || {
    cat "$1/security"
    return 1
  }
}
