#!/usr/bin/env python3
"""Whatever members are told by, written by others: a webhook endpoint that checks signatures with `standardwebhooks`, a browser
with its push service that checks VAPID with PyJWT and decrypts with `http_ece`, and a mail server (`aiosmtpd`). And whatever
they come to visits by: tokens as Jitsi (PyJWT) and LiveKit (`livekit-api`) check them, calendars as `icalendar` reads them. And
shapes of Telegram's Bot API as python-telegram-bot knows them, of WhatsApp's as pywa does (whatsapp.py), and the mail server of a
community (mailhost.py).

    receiver.py PORT MAIL_PORT
    GET  /                    when ready
    POST /new {"secrets"}     a receiver of its own -> {"id", "hook", "push": {"endpoint", "p256dh", "auth"}, "address", "mail_port"}
    POST /answers/ID {"hook", "push", "mail"}   what is answered next, the last of a list first; 200, 201, 250 otherwise.
                              429000600 is 429 with `Retry-After: 600`
    GET  /seen/ID             everything that came, in order: {"by", "status", ...}
    POST /judge/jitsi {"token", "app_id", "secret"}, /judge/livekit {"token", "key", "secret"}, /judge/calendar (iCalendar),
         /judge/telegram-update (an Update), /judge/telegram-METHOD (what a call of the Bot API comes with), /judge/whatsapp-…
                              what is in it; 400 and {"wrong"} if it is not good
"""

import base64
import email
import email.policy
import inspect
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import icalendar
import jwt
import telegram
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from livekit.api import TokenVerifier
from standardwebhooks import Webhook

import mailhost
import whatsapp

PORT, MAIL_PORT = int(sys.argv[1]), int(sys.argv[2])
ORIGIN = f"http://127.0.0.1:{PORT}"
receivers, lock = {}, threading.Lock()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Receiver:
    def __init__(self, secrets):
        self.id = os.urandom(8).hex()
        self.secrets = secrets
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.answers, self.seen = {}, []

    def told(self):
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        push = {"endpoint": f"{ORIGIN}/push/{self.id}", "p256dh": b64(point), "auth": b64(self.auth)}
        address = f"member-{self.id}@forum.example"
        return {"id": self.id, "hook": f"{ORIGIN}/hook/{self.id}", "push": push, "address": address, "mail_port": MAIL_PORT}

    def answer(self, by, usual):
        with lock:
            answers = self.answers.get(by) or []
            return answers.pop() if answers else usual

    def keep(self, **what):
        with lock:
            self.seen.append(what)

    def hook(self, body, headers):
        status, good = self.answer("hook", 200), []
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, dict(headers))
                good.append(secret)
            except Exception:
                pass
        self.keep(by="hook", status=status, signed_by=good, headers=headers, raw=body.decode())
        return status

    def push(self, body, headers):
        status = self.answer("push", 201)
        scheme, parts = headers["authorization"].split(" ", 1)
        given = dict(part.strip().split("=", 1) for part in parts.split(","))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(given["k"]))
        # By whose clock it ends, the test says.
        claims = jwt.decode(given["t"], public, ["ES256"], audience=ORIGIN, options={"verify_exp": False})
        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        self.keep(by="push", status=status, scheme=scheme, key=given["k"], claims=claims, headers=headers,
                  raw=body.hex(), plain=plain.decode())
        return status


def jitsi(body):
    asked = json.loads(body)
    return jwt.decode(asked["token"], asked["secret"], ["HS256"], audience="jitsi", issuer=asked["app_id"],
                      options={"require": ["exp", "nbf", "room", "sub"]})


def livekit(body):
    asked = json.loads(body)
    claims = TokenVerifier(asked["key"], asked["secret"]).verify(asked["token"])
    return {"identity": claims.identity, "name": claims.name, "video": vars(claims.video)}


def calendar(body):
    def said(event, name):
        value = event.get(name)
        return value.dt.isoformat() if hasattr(value, "dt") else None if value is None else str(value)

    read = icalendar.Calendar.from_ical(body)
    names = ["uid", "sequence", "status", "summary", "class", "dtstamp", "dtstart", "dtend", "url", "description", "location"]
    events = [{name: said(event, name) for name in names} for event in read.walk("VEVENT")]
    wrong = [str(error) for event in read.walk("VEVENT") for error in event.errors]
    return {"method": str(read["method"]), "name": str(read["name"]), "events": events, "wrong": wrong}


def strangers(shape, path=""):
    """The fields, in whatever depth, that the Bot API does not have: python-telegram-bot lays them aside as `api_kwargs`."""
    if isinstance(shape, (list, tuple)):
        return [found for part in shape for found in strangers(part, path)]
    if not isinstance(shape, telegram.TelegramObject):
        return []
    own = [f"{path}{name}" for name in shape.api_kwargs]
    parts = [(name, getattr(shape, name)) for name in shape.__slots__ if not name.startswith("_")]
    return own + [found for name, part in parts for found in strangers(part, f"{path}{name}.")]


def telegram_update(body):
    update = telegram.Update.de_json(json.loads(body), None)
    if unknown := strangers(update):
        raise ValueError(f"there is no {unknown}")
    return {"of": update.effective_user.id}


def telegram_call(method):
    """What a method is called with must be what python-telegram-bot's own method takes."""
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method)
    takes = inspect.signature(getattr(telegram.Bot, name)).parameters

    def judge(body):
        given = json.loads(body)
        if unknown := [parameter for parameter in given if parameter not in takes]:
            raise ValueError(f"{method} takes no {unknown}")
        if keyboard := given.get("reply_markup"):
            if unknown := strangers(telegram.InlineKeyboardMarkup.de_json(keyboard, None)):
                raise ValueError(f"there is no {unknown}")
            values = [button["callback_data"] for row in keyboard["inline_keyboard"] for button in row]
            if not all(1 <= len(value.encode()) <= 64 for value in values):
                raise ValueError("callback_data has 1 to 64 bytes")
        if not 1 <= len(given.get("text", " ")) <= telegram.constants.MessageLimit.MAX_TEXT_LENGTH:
            raise ValueError("text is too long, or there is none")
        return {}

    return judge


JUDGES = {
    "telegram-update": telegram_update,
    "telegram-sendMessage": telegram_call("sendMessage"),
    "telegram-answerCallbackQuery": telegram_call("answerCallbackQuery"),
    "jitsi": jitsi,
    "livekit": livekit,
    "calendar": calendar,
    **whatsapp.JUDGES,
}


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, what=None):
        status, again_after = divmod(status, 1_000_000) if status > 1000 else (status, 0)
        body = b"" if what is None else json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if again_after:
            self.send_header("retry-after", str(again_after))
        self.end_headers()
        self.wfile.write(body)

    def receiver(self):
        with lock:
            return receivers.get(self.path.rsplit("/", 1)[-1])

    def do_GET(self):
        receiver = self.receiver()
        if self.path == "/":
            self.say(200, {})
        elif receiver is None:
            self.say(404)
        else:
            self.say(200, receiver.seen)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path == "/new":
            receiver = Receiver(json.loads(body).get("secrets", []))
            with lock:
                receivers[receiver.id] = receiver
            return self.say(200, receiver.told())
        if self.path == "/write":
            return self.say(200, mailhost.write(json.loads(body), MAIL_PORT))
        if self.path == "/door":
            return self.say(200, mailhost.open_door())
        if self.path.startswith("/door/"):
            mailhost.doors[self.path.rsplit("/", 1)[-1]] = json.loads(body)
            return self.say(200, {})
        if self.path.startswith("/judge/"):
            try:
                return self.say(200, JUDGES[self.path.rsplit("/", 1)[-1]](body))
            except Exception as error:
                return self.say(400, {"wrong": repr(error)})
        receiver = self.receiver()
        kind = self.path.split("/")[1]
        if receiver is None:
            return self.say(404)
        if kind == "answers":
            receiver.answers = json.loads(body)
            return self.say(200, {})
        try:
            return self.say({"hook": receiver.hook, "push": receiver.push}[kind](body, headers))
        except Exception as error:  # what cannot be checked is said to the test
            receiver.keep(by=kind, status=400, wrong=repr(error))
            return self.say(400)


class Mail:
    """`member-ID@forum.example`: whose mail it is; `helper-ID@forum.example`: it goes to a bridge."""

    @staticmethod
    def of(address):
        with lock:
            return receivers.get(address.split("@")[0].removeprefix("member-"))

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if mailhost.door_of(address):
            envelope.rcpt_tos.append(address)
            return "250 OK"
        receiver = self.of(address)
        status = 550 if receiver is None else receiver.answer("mail", 250)
        if status != 250:
            if receiver is not None:
                receiver.keep(by="mail", status=status)
            return f"{status} 5.1.1 nobody here by the name of {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        if door := mailhost.door_of(envelope.rcpt_tos[0]):
            return await mailhost.hand_over(door, envelope)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        for address in envelope.rcpt_tos:
            self.of(address).keep(by="mail", status=250, sender=envelope.mail_from, subject=str(parsed["subject"]),
                                  message_id=str(parsed["message-id"]), text=parsed.get_content(),
                                  headers={name.lower(): str(value) for name, value in parsed.items()},
                                  raw=envelope.content.decode())
        return "250 OK"


Controller(Mail(), hostname="127.0.0.1", port=MAIL_PORT).start()
ThreadingHTTPServer.request_queue_size = 128  # five by default: tests that ask all at once would be cut off
ThreadingHTTPServer(("127.0.0.1", PORT), Door).serve_forever()
