// Switches notes on in this browser: asks the person, subscribes at the browser's push service, and sends the page's form.
// The page says what it is for, and everything else works without it.
"use strict";

const form = document.getElementById("push-on");

function say(id) {
  for (const word of document.querySelectorAll("#push-here > p")) word.hidden = word.id !== id;
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return say("push-denied");
  await navigator.serviceWorker.register("/push-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.key });
  const { endpoint, keys } = subscription.toJSON();
  for (const [name, value] of Object.entries({ endpoint, p256dh: keys.p256dh, auth: keys.auth })) {
    form.elements[name].value = value;
  }
  form.submit();
}

if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  say("push-can");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    subscribe().catch(() => say("push-failed"));
  });
} else {
  say("push-cannot");
}
