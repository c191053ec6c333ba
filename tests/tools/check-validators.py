#!/usr/bin/env python3
"""Do the validators still tell good from bad?    check-validators.py URL...

A validator that accepts everything is worse than none, and an upgrade or a definition that no longer loads makes one
without a word. Each case says who must refuse it; what is good must pass everywhere.
"""

import copy
import json
import sys
from urllib.request import Request, urlopen

PYROFILE, MEDPLUM = "pyrofile-validator", "@medplum/core"
BOTH = {PYROFILE, MEDPLUM}

PHQ9_TOTAL = {
    "resourceType": "Observation",
    "meta": {
        "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"]
    },
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2026-03-01T08:00:00+03:00",
    "valueQuantity": {"value": 12, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"},
}
TWO_ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [{"linkId": "1", "answer": [{"valueString": "a"}, {"valueString": "b"}]}],
}


def changed(path, value):
    """The PHQ-9 total with one thing changed; None takes it away."""
    resource = copy.deepcopy(PHQ9_TOTAL)
    *parents, last = path.split(".")
    node = resource
    for name in parents:
        node = node[name]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return resource


def containing(target):
    """The PHQ-9 total with a Provenance in it that is about `target`."""
    who = {"reference": "Patient/1"}
    provenance = {
        "resourceType": "Provenance",
        "id": "provenance",
        "target": [{"reference": target}],
        "recorded": "2026-03-01T08:00:00Z",
        "agent": [{"who": who}],
    }
    return {**PHQ9_TOTAL, "contained": [provenance]}


CASES = [
    ("a PHQ-9 total in US Core form", PHQ9_TOTAL, set()),
    ("two answers to one question", TWO_ANSWERS, set()),
    ("a Provenance in it that is about it", containing("#"), set()),
    ("a Provenance in it that is about something else (dom-3)", containing("Observation/2"), {PYROFILE}),
    ("no status", changed("status", None), BOTH),
    ("a status that is none", changed("status", "done"), {PYROFILE}),
    ("a value and the reason for its absence (obs-6)", changed("dataAbsentReason", {"text": "asleep"}), BOTH),
    ("neither value nor reason (us-core-2)", changed("valueQuantity", None), BOTH),
    ("a unit that is not UCUM (us-core-3)", changed("valueQuantity.system", "http://nobody.example"), {MEDPLUM}),
    ("a date that is none", changed("effectiveDateTime", "2026-13-45"), {MEDPLUM}),
    ("a number as a string", changed("valueQuantity.value", "12"), BOTH),
    ("two values", changed("valueString", "twelve"), {PYROFILE}),
    ("a string for a concept", changed("code", "44261-6"), BOTH),
    ("an unknown field", changed("mood", "low"), BOTH),
    ("no subject", changed("subject", None), BOTH),
    ("no survey category", changed("category", [{"text": "mood"}]), BOTH),
]


def ask(url, resource):
    with urlopen(Request(url, json.dumps(resource).encode())) as response:
        return json.load(response)


def main(urls):
    wrong = []
    for url in urls:
        with urlopen(url) as response:
            name = json.load(response)["validator"]
        for what, resource, refused_by in CASES:
            verdict = ask(url, resource)
            if not refused_by and (verdict["issues"] or verdict["unknown_profiles"]):
                wrong.append(f"{name} refuses {what}: {verdict}")
            if name in refused_by and verdict["valid"]:
                wrong.append(f"{name} accepts {what}")
    sys.exit("\n".join(wrong) or 0)


main(sys.argv[1:])
