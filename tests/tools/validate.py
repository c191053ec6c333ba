#!/usr/bin/env python3
"""pyrofile-validator behind loopback HTTP, so that the definitions are loaded once per test run.

    validate.py PORT    GET / when ready; POST / with a resource -> {"valid", "issues", "warnings", "unknown_profiles"}

A resource is checked against its base type and every profile of its meta.profile that is known here: R4 itself and
whatever lies under schemas/fhir. A profile nobody knows is reported, and is no error by itself.
"""

import json
import sys
import tempfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = ROOT / ".tools/r4"
PROFILES = ROOT / "schemas/fhir"
# True of nearly every resource: no narrative, a status is a modifier, and the Patient is in the EHR.
NOISE = {"invariant.dom-6", "profile.invariant.dom-6", "modifierExtension.present", "reference.unresolved"}


def load_validator():
    from pyrofile_validator import Validator
    from pyrofile_validator.config import ValidatorConfig

    class R4Validator(Validator):
        def _merged_backbone_children(self, _resource_type, _path, children):
            """The original mixes R4B in, which is not what the bridge speaks (and takes two seconds to load)."""
            return children

        def _validate_backbone(self, resource_type, resource_id, path, value, children, *rest):
            """The original looks for a key "value[x]" where a resource has "valueString"."""

            def given(name):
                return name.endswith("[x]") and any(key.startswith(name[:-3]) for key in value)

            children = {name: replace(child, min=0) if given(name) else child for name, child in children.items()}
            return super()._validate_backbone(resource_type, resource_id, path, value, children, *rest)

    # A Questionnaire that is not here is like a profile that is not here.
    policy = {"questionnaire.unresolved": "warning"}
    return R4Validator(ValidatorConfig(local_package_paths=[str(DEFINITIONS), str(PROFILES)], severity_policy=policy))


def judge(validator, resource):
    issues, warnings, unknown = [], [], set()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # only files are checked against a Questionnaire
        json.dump(resource, file)
        file.flush()
        report = validator.validate_files([Path(file.name)], reference_file_paths=sorted(PROFILES.rglob("*.json")))
    for issue in report.issues:
        text = f"{issue.path or resource.get('resourceType')}: {issue.message} [{issue.code}]"
        if issue.code == "profile.unknown":
            unknown.add(issue.profile)
        elif issue.code in NOISE or is_miscounted(issue) or is_misread(issue, resource):
            continue
        elif issue.severity.value == "error":
            issues.append(text)
        else:
            warnings.append(text)
    return {"valid": not issues, "issues": issues, "warnings": warnings, "unknown_profiles": sorted(unknown)}


def is_miscounted(issue):
    """Three levels down it counts the values of all parents together: two answers with one value each are "two"."""
    return issue.code == "profile.element.cardinality.max" and issue.path.count(".") > 2


def is_misread(issue, resource):
    """It does not know that "#" is the container (R4, references.html, 2.3.0.2), which dom-3 allows in so many words."""
    if issue.code == "reference.contained.unresolved":
        return "reference # does" in issue.message
    # Nor that a primitive within a backbone may have extensions beside it, as one on the top may (R4, json.html, 2.1.6.1.3).
    if issue.code == "element.unknown" and issue.path.rsplit(".", 1)[-1] == "_text":
        return True
    contained = resource.get("contained", [])
    about_container = [part for part in contained if '"reference": "#"' in json.dumps(part)]
    return issue.code in {"invariant.dom-3", "profile.invariant.dom-3"} and about_container == contained


def handler(validator):
    one_at_a_time = threading.Lock()  # the validator keeps state while it works

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, body):
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self):
            self.answer(200, {"validator": "pyrofile-validator", "ready": True})

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                resource = json.loads(body)
            except ValueError as error:
                return self.answer(400, {"valid": False, "issues": [f"the body is not JSON: {error}"]})
            if not isinstance(resource, dict):
                return self.answer(400, {"valid": False, "issues": ["the body is not a JSON object"]})
            with one_at_a_time:
                verdict = judge(validator, resource)
            self.answer(200, verdict)

        def log_message(self, *_args):
            pass  # only failures belong into the log

    return Handler


def main(port):
    ThreadingHTTPServer.request_queue_size = 128  # five by default: tests that ask all at once would be cut off
    ThreadingHTTPServer(("127.0.0.1", port), handler(load_validator())).serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(int(sys.argv[1]))
