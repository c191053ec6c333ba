# For whoever writes the server of an app.
app-title = Connect your app
app-lead = How the server of an app, or a platform of your own, takes part: members talk with the helper in it, and hear there that something is waiting for them. Nobody’s name or address is needed.
app-agree = 1. Agree on a secret
app-agree-text = Whoever runs this site writes down your community, a secret with which both sides sign, and where your server hears what members are to be told. Everything is signed as Standard Webhooks does; there is a library for your language.
app-say = 2. Bring what members say
app-say-text = Send it to { $address } with your community in the address: only what a member wrote to the helper in private. The name under which you know them is all that is needed. Whoever is no member yet becomes one by agreeing in the talk.
app-answer-text = The answer comes in the response. Show it to that member and to nobody else, with its buttons; bring the value of a button as “pressed”, as it is. If no answer comes, send the same again under the same webhook-id: it is done once.
app-count = 3. Say what happens in your rooms, if you like
app-count-text = That somebody posted, replied or reacted; never what. It is counted for members who agreed to it, and “mostik.undone.v1” takes it back.
app-hear = 4. Tell members what waits for them
app-hear-text = Your server gets “mostik.message.v1” and “mostik.sign-in-link.v1”, signed. Check the signature over the raw body before you read it, hand it to this member privately, and answer 2xx; answer 410 if they are gone. The same webhook-id may come again: show it once.
app-send = 5. Send what members note down
app-send-text = Moods, questionnaires, sleep and activity go to POST /v1/events with an API key. All requests are described here; two example clients and the schemas lie beside the program, in schemas/.
