"""The mail server of a community, which hands what comes to an address to the bridge by `deploy/mail-to-bridge.sh`, and people who
write to it. Who wrote is found out by dkimpy, and said as `authres` writes it; mails are written by Python's own `email`.

    POST /door                           an address of its own -> {"id", "address"}
    POST /door/ID {"url", "header"}      where its mail goes, and the file with the header
    POST /write {"from", "to", "text", "html", "fields", "before", "signed_by", "envelope"}
                                         somebody writes -> {"status"}: what the server answered
"""

import asyncio
import email.message
import email.policy
import os
import pathlib
import smtplib
import subprocess
import threading

import authres
import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SERVER = "mx.forum.example"
SCRIPT = pathlib.Path(__file__).parents[2] / "deploy/mail-to-bridge.sh"
doors, keys, making = {}, {}, threading.Lock()


def key_of(domain):
    """Each domain has a key of its own, which anybody finds: one, whoever are the first to sign with it at once."""
    with making:
        if domain not in keys:
            keys[domain] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return keys[domain]


def published(name, **_):
    selector, _, domain = name.decode().rstrip(".").partition("._domainkey.")
    if selector != "s1" or domain not in keys:
        return None
    public = key_of(domain).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + dkim.base64.b64encode(public)


def open_door():
    door = os.urandom(8).hex()
    doors[door] = None
    return {"id": door, "address": f"helper-{door}@forum.example"}


def write(asked, port):
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = asked["from"], asked["to"], "Re: An answer to you"
    mail["Message-ID"] = asked["id"]
    mail["Date"] = "Fri, 20 Nov 2026 12:00:00 +0000"
    for name, value in (asked.get("fields") or {}).items():
        mail[name] = value
    text = asked["text"]
    if before := asked.get("before"):
        quoted = "".join(f"> {line}\n" for line in before["text"].splitlines())
        text += f"\n\nOn Fri, 20 Nov 2026 at 12:00, The forum <{asked['to']}>\nwrote:\n\n{quoted}"
        mail["In-Reply-To"], mail["References"] = before["id"], before["id"]
    if asked.get("html"):
        mail.set_content(f"<div>{asked['text']}</div>", subtype="html")
    else:
        mail.set_content(text)
    raw = mail.as_bytes()
    if domain := asked.get("signed_by"):
        private = key_of(domain).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        raw = dkim.sign(raw, b"s1", domain.encode(), private) + raw
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.ehlo()
        server.mail(asked.get("envelope", "sparrow@forum.example"))
        server.rcpt(asked["to"])
        status, _ = server.data(raw)
    return {"status": status}


def door_of(address):
    door = address.split("@")[0].removeprefix("helper-")
    return door if door in doors else None


def found_out(raw):
    """What the server says of who wrote a mail."""
    signature = dkim.DKIM(raw)
    try:
        result = "pass" if signature.verify(dnsfunc=published) else "fail"
    except dkim.DKIMException:
        result = "permerror"
    domain = signature.domain.decode() if signature.domain else None
    if domain is None:
        said = authres.NoneAuthenticationResult()
    else:
        said = authres.DKIMAuthenticationResult(result=result, header_d=domain, header_i=f"@{domain}")
    return str(authres.AuthenticationResultsHeader(authserv_id=SERVER, results=[said]))


async def hand_over(door, envelope):
    """As Postfix does by pipe(8): what the program ends with says whether it is to be tried again."""
    to = doors[door]
    above = [f"Return-Path: <{envelope.mail_from}>", found_out(envelope.content),
             f"Received: from member by {SERVER} with ESMTP; Fri, 20 Nov 2026 12:00:00 +0000"]
    raw = "".join(f"{line}\r\n" for line in above).encode() + envelope.content
    command = ["sh", str(SCRIPT), to["url"], to["header"]]
    ended = await asyncio.to_thread(subprocess.run, command, input=raw, stderr=subprocess.DEVNULL)
    return "250 OK" if ended.returncode == 0 else f"451 4.3.0 {ended.returncode}"
