"""Makes the keys of SMART clients, and the settings of a sekmet that takes their assertions.

    smart-fhir.py FOLDER PORT ADMIN_TOKEN

FOLDER/<ALG>/ gets one private key each, named as the bridge names its own; FOLDER/smart.yaml knows their public halves.
"""

import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sekmet.auth.keys import public_jwk

folder, port, admin = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


def make_key(alg, key):
    path = folder / alg / f"20200101T000000Z-{alg.lower()}.pem"
    path.parent.mkdir(parents=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return public_jwk(key, alg)  # named by its thumbprint, as computed by somebody else


es384 = make_key("ES384", ec.generate_private_key(ec.SECP384R1()))
rs384 = make_key("RS384", rsa.generate_private_key(public_exponent=65537, key_size=2048))
(folder / "jwks.json").write_text(json.dumps({"keys": [es384, rs384]}))


def client(name, jwk, scopes):
    return {"client_id": name, "jwks": {"keys": [jwk]}, "scopes": scopes}


home = f"http://127.0.0.1:{port}"
settings = {
    "host": "127.0.0.1",
    "port": port,
    "base_url": f"{home}/fhir",
    "data_dir": str(folder),
    "db_path": str(folder / "smart.db"),
    "simulator": {"enabled": False},
    "log_inbound": False,
    "server_auth": {
        # The tests look into it with a token of their own, beside the clients that are under test.
        "types": ["smart", "bearer"],
        "tokens": [admin],
        "token_lifetime": 300,
        "smart_clients": [
            client("mostik-es384", es384, "system/*.cruds"),
            client("mostik-rs384", rs384, "system/*.cruds"),
            client("mostik-narrow", es384, "system/Observation.rs system/Patient.rs"),
            client("mostik-nothing", es384, "system/Slot.r"),
        ],
    },
}
(folder / "smart.yaml").write_text(json.dumps(settings))  # JSON is YAML
