# shellcheck shell=bash
# What tests/run and .ci/run share: saying what happens, and installing what is missing.

tools=$PWD/.tools
step_log=/dev/null
running_step=
exec 9>&2 # the screen, also where a step has its own stderr; what stays in the background must close it

say() { printf '%s\n' "$*" >&9; }

die() {
  if [[ -n $running_step ]]; then say failed; fi
  running_step= # all there is to say follows
  say "error: $*"
  exit 1
}

since() { printf '%.1f s' "$(((${EPOCHREALTIME/[.,]/} - $1) / 100000))e-1"; }

# step NAME COMMAND...: one line for what is done and how long it took. What the command prints is kept in $step_log:
# when it fails, `set -e` ends the script and its EXIT trap calls `explain_failure`.
step() {
  local name=$1 began=${EPOCHREALTIME/[.,]/}
  shift
  running_step=$name
  printf '%s ... ' "$name" >&9
  "$@" >"$step_log" 2>&1
  running_step=
  say "$(since "$began")"
}

explain_failure() {
  [[ -n $running_step ]] || return 0
  say failed
  tail -n 40 "$step_log" >&9
}

# Where what lives for one run is written: in memory, where there is plenty. Nothing that tests kill needs a disk: what a process
# had written lies in the kernel's hands either way.
roomy_folder() {
  local free available
  free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
  available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo 2>/dev/null)
  if [[ -w /dev/shm ]] && ((${free:-0} > 8000000 && ${available:-0} > 12000000)); then echo /dev/shm; else echo /tmp; fi
}

apt_install() {
  local as_root=()
  command -v apt-get >/dev/null || die "missing: $*. There is no apt-get here; install it by hand and run again."
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "missing: $*. Installing takes root or sudo; install it by hand and run again."
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Built for being built soon, not for speed: minutes less, and these tools wait for cargo anyway.
cargo_install() {
  CARGO_TARGET_DIR=$tools/build \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo install --locked --root "$tools/cargo" "$@"
  rm -rf "$tools/build"
}
