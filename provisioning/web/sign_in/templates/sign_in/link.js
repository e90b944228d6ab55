"use strict";
const secret = location.hash.slice(1);
if (secret) {
  const form = document.getElementById("confirm");
  form.elements.secret.value = secret;
  form.hidden = false;
  document.getElementById("missing").hidden = true;
  history.replaceState(null, "", location.pathname);
  // Where the next page only shows something, nobody has to ask for it.
  if ("atOnce" in form.dataset) form.requestSubmit();
}
