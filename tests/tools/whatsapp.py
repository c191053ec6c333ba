"""Shapes of WhatsApp's Cloud API as pywa knows them: it reads the webhooks, and what is sent must be what it sends itself."""

import json
import logging

import httpx
import pywa
from pywa import utils
from pywa.types import Button, RawUpdate, Section, SectionList, SectionRow
from pywa.types.templates import BodyText, TemplateLanguage

NUMBER = "106540352242922"
logging.getLogger("pywa").setLevel(logging.CRITICAL)


def client():
    """A client of nobody's, and what it sends."""
    sent = []

    def carry(request):
        sent.append(request)
        whom = json.loads(request.content)["recipient"]
        return httpx.Response(200, json={"messaging_product": "whatsapp", "contacts": [{"input": whom, "user_id": whom}],
                                         "messages": [{"id": "wamid.1"}]})

    session = httpx.Client(transport=httpx.MockTransport(carry))
    return pywa.WhatsApp(phone_id=NUMBER, token="t", session=session, filter_updates=False), sent


def webhook(body):
    """Who did what in a webhook."""
    known, _ = client()
    update = RawUpdate(body, hmac_header=None, update_hash="")
    handler = known._get_handler_type(update)
    read = known._handlers_to_updates[handler].from_update(client=known, update=update)
    said = getattr(read, "data", None) or getattr(read, "text", None)
    return {"kind": type(read).__name__, "of": read.from_user.bsuid, "said": said}


def signature(body):
    asked = json.loads(body)
    if not utils.webhook_updates_validator(asked["secret"], asked["body"].encode(), asked["signature"]):
        raise ValueError("it is not signed with this secret")
    return {}


def send(body):
    """What is sent must be what pywa sends for the same, and as short as it says that it must be."""
    given = json.loads(body)
    known, sent = client()
    whom, what = given["recipient"], given[given["type"]]
    if given["type"] == "text":
        short(what["body"], 4096)
        known.send_message(whom, what["body"], preview_url=what["preview_url"])
    elif given["type"] == "template":
        values = [value["text"] for part in what["components"] for value in part["parameters"]]
        known.send_template(whom, what["name"], TemplateLanguage(what["language"]["code"]), params=[BodyText.params(*values)])
    elif what["type"] == "button":
        short(what["body"]["text"], 1024)
        replies = [button["reply"] for button in what["action"]["buttons"]]
        buttons = [Button(short(it["title"], 20), short(it["id"], 256)) for it in few(replies, 3)]
        known.send_message(whom, what["body"]["text"], buttons=buttons)
    else:
        short(what["body"]["text"], 1024)
        sections = [Section(short(it["title"], 24), [SectionRow(short(row["title"], 24), short(row["id"], 200))
                                                     for row in few(it["rows"], 10)])
                    for it in what["action"]["sections"]]
        buttons = SectionList(short(what["action"]["button"], 20), sections)
        known.send_message(whom, what["body"]["text"], buttons=buttons)
    wanted = json.loads(sent[-1].content)
    if wanted["type"] == "template":  # Meta's own examples write it small
        for part in wanted["template"]["components"]:
            part["type"] = part["type"].lower()
    if wanted != given:
        raise ValueError(f"pywa sends {wanted}")
    return {}


def short(text, most):
    if not 1 <= len(text) <= most:
        raise ValueError(f"{text!r} is too long, or empty")
    return text


def few(things, most):
    names = [thing["title"] for thing in things]
    if not 1 <= len(things) <= most or len(set(names)) != len(names):
        raise ValueError(f"{names} are too many, or the same")
    return things


JUDGES = {"whatsapp-webhook": webhook, "whatsapp-signature": signature, "whatsapp-send": send}
