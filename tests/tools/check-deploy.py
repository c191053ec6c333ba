#!/usr/bin/env python3
"""Do the files in deploy/ agree with each other, and with the settings of the program?    check-deploy.py

What a schema cannot see: a proxy that looks for replicas where none are, a stop that is cut off before the program is
done, a secret in the wrong place, a file the build needs and does not get.
"""

import re
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
faults = []


def expect(holds, fault):
    if not holds:
        faults.append(fault)


def seconds(text):
    return int(re.fullmatch(r"(\d+)s?", str(text))[1])


defaults = tomllib.loads((DEPLOY / "default.toml").read_text())
container = tomllib.loads((DEPLOY / "container.toml").read_text())
compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
nginx = (DEPLOY / "nginx.conf").read_text()
unit = (DEPLOY / "mostik.service").read_text()
services = compose["services"]
replicas = {name: service for name, service in services.items() if name.startswith("mostik-")}
shutdown = container.get("server", {}).get("shutdown_seconds", defaults["server"]["shutdown_seconds"])

# The replicas, and the proxy before them.
addresses = {service["networks"]["front"]["ipv4_address"] for service in replicas.values()}
port = container["server"]["listen"].rsplit(":", 1)[1]
upstream = set(re.findall(r"^\s*server (\S+?)(?: .*)?;", nginx, re.M))
expect(len(replicas) == len(addresses) == 3, "compose.yaml: three replicas, each with an address of its own")
expect(
    upstream == {f"{address}:{port}" for address in addresses},
    f"nginx.conf looks for replicas at {sorted(upstream)}; compose.yaml and container.toml put them at "
    f"{sorted(addresses)}, port {port}",
)

# Every service is watched, comes back, has its limits, may stop in peace, and has its secrets by files.
for name, service in services.items():
    limits = service["deploy"]["resources"]["limits"]
    expect("healthcheck" in service, f"{name}: no healthcheck")
    expect(service.get("restart") == "unless-stopped", f"{name}: no restart policy")
    expect({"cpus", "memory", "pids"} <= limits.keys(), f"{name}: limits are missing")
    expect(not service.get("privileged"), f"{name}: privileged")
    for variable, value in service.get("environment", {}).items():
        secret = re.search(r"PASS|SECRET|TOKEN|KEY", variable)
        expect(not secret or str(value).startswith("/run/secrets/"), f"{name}: {variable} is no file of a secret")
    for secret in service.get("secrets", []):
        expect(secret in compose["secrets"], f"{name}: there is no secret {secret}")
for name, service in replicas.items():
    expect(seconds(service["stop_grace_period"]) > shutdown, f"{name}: killed before it is done")
    expect(service["read_only"], f"{name}: may write to its own image")
for name, secret in compose["secrets"].items():
    expect(secret.get("file") == f"./secrets/{name}", f"the secret {name} is not the file secrets/{name}")
for setting in (container["vault"]["master_key"],):
    expect(Path(setting).name in compose["secrets"], f"container.toml: {setting} is no secret of compose.yaml")
expect("@" in container["database"]["url"], "container.toml: no user in database.url")
expect(not re.search(r":[^/@]+@", container["database"]["url"]), "container.toml: a password in database.url")

# The unit gives the program the time it may take.
expect(seconds(re.search(r"^TimeoutStopSec=(\S+)", unit, re.M)[1]) > shutdown, "mostik.service: killed before it is done")

# Settings by environment have the names of settings.
for file in sorted(DEPLOY.iterdir()):
    for section, setting in re.findall(r"\bMOSTIK_([A-Z]+)__([A-Z_]+)\b", file.read_text()):
        known = setting.lower() in defaults.get(section.lower(), {})
        expect(known, f"{file.name}: there is no setting {section.lower()}.{setting.lower()}")

# What the sources take in at compile time gets into the build.
patterns = [line for line in (ROOT / ".containerignore").read_text().splitlines() if line and line[0] != "#"]


def is_let_in(path):
    """As container engines read it: the last pattern that names the path, or a folder above it, decides."""
    names = [str(path), *(str(parent) for parent in path.parents)]
    verdict = True
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if any(name != "." and name.count("/") == bare.count("/") and fnmatch(name, bare) for name in names):
            verdict = pattern.startswith("!")
    return verdict


taken_in = [Path("Cargo.toml"), Path("Cargo.lock"), Path("askama.toml")]
for source in sorted((ROOT / "src").rglob("*.rs")):
    if "tests" in source.relative_to(ROOT).as_posix():
        continue
    for path in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text()):
        taken_in.append((source.parent / path).resolve().relative_to(ROOT))
    for path in re.findall(r'migrate!\("([^"]+)"\)', source.read_text()):
        taken_in.extend(file.relative_to(ROOT) for file in (ROOT / path).iterdir())
expect(len(taken_in) > 10, "no include_str! was found: this check looks in the wrong place")
for path in taken_in:
    expect(is_let_in(path), f".containerignore keeps {path} away, which the build needs")
for path in ("data/master.key", "deploy/secrets/master.key", ".git/config", "deploy/mostik.toml", "target/debug/mostik"):
    expect(not is_let_in(Path(path)), f".containerignore lets {path} in")
expect((ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text(), ".dockerignore is another file")

for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(bool(faults))
