#!/usr/bin/env python3
"""A clinic's own system, made of libraries that nobody here wrote: finds the token endpoint, signs who it is, reads.

    clinic.py FHIR_BASE CLIENT_ID KID ALG KEY_FILE PATIENT NOW    prints {"token": ..., "bundle": ..., "again": STATUS}

NOW is the time by the clock of the bridge, in seconds. `again` is what the same assertion gets when it is shown again.
"""

import json
import sys
import uuid

import httpx
import jwt

base, client_id, kid, alg, key_file, patient, now = sys.argv[1:]
client = httpx.Client(trust_env=False)
configuration = client.get(f"{base}/.well-known/smart-configuration").raise_for_status().json()
endpoint = configuration["token_endpoint"]
claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "exp": int(now) + 300, "jti": str(uuid.uuid4())}
with open(key_file, encoding="ascii") as file:
    assertion = jwt.encode(claims, file.read(), algorithm=alg, headers={"kid": kid})
form = {
    "grant_type": "client_credentials",
    "scope": " ".join(configuration["scopes_supported"]),
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": assertion,
}
token = client.post(endpoint, data=form).raise_for_status().json()
headers = {"Authorization": f"Bearer {token['access_token']}", "Accept": "application/fhir+json"}
found = client.get(f"{base}/Consent", params={"patient": patient, "status": "active"}, headers=headers)
again = client.post(endpoint, data=form).status_code
print(json.dumps({"token": token, "bundle": found.raise_for_status().json(), "again": again}))
