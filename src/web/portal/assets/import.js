// Shows how far a file is on its way, which may take minutes: sends the form as the browser would, and puts the answer where the
// form was. Without it the form is sent as any other, and the answer comes when the file is through.
"use strict";

// Whoever has the progress read out hears it this often, in milliseconds.
const CALM = 8000;

const part = (id) => document.getElementById(id);

let isUnderWay = false;

function begin() {
  part("import")?.addEventListener("submit", (event) => {
    // A browser that does not say which button was pressed sends the form itself.
    if (!event.submitter) return;
    event.preventDefault();
    if (!isUnderWay) send(event.currentTarget, event.submitter);
  });
}

function send(form, button) {
  const [progress, said] = [part("sent"), part("sending-said")];
  let [isWhole, next] = [false, 0];
  const fields = new FormData(form);
  fields.append(button.name, button.value);
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ lengthComputable, loaded, total, timeStamp }) => {
    if (!lengthComputable) return;
    progress.value = Math.floor((100 * loaded) / total);
    if (timeStamp < next) return;
    next = timeStamp + CALM;
    said.textContent = said.dataset.part.replace("{percent}", progress.value);
  };
  request.upload.onload = () => {
    isWhole = true;
    progress.removeAttribute("value");
    said.textContent = said.dataset.whole;
  };
  request.onload = () => {
    isUnderWay = false;
    // Led to another page: to sign in, for one.
    if (request.responseURL !== form.action) location.assign(request.responseURL);
    else if (!show(request.responseText)) stopped(isWhole);
  };
  request.onerror = () => stopped(isWhole);
  isUnderWay = true;
  for (const word of ["cut", "unanswered"]) part(word).hidden = true;
  progress.value = 0;
  part("sending").hidden = false;
  request.open("POST", form.action);
  request.setRequestHeader("accept", "text/html");
  request.send(fields);
}

// Nothing is read of a file before all of it is here.
function stopped(isWhole) {
  isUnderWay = false;
  part("sending").hidden = true;
  part("sending-said").textContent = "";
  part(isWhole ? "unanswered" : "cut").hidden = false;
}

function show(answer) {
  const page = new DOMParser().parseFromString(answer, "text/html");
  const main = page.getElementById("main");
  if (!main) return false;
  document.title = page.title;
  part("main").replaceWith(main);
  main.focus();
  scrollTo(0, 0);
  begin();
  return true;
}

begin();
