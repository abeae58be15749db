// What stands where Zendesk's app script does: enough of `ZAFClient` for an app to ask for its ticket and its height.
"use strict";

window.ZAFClient = {
  init() {
    const asked = new URLSearchParams(location.search);
    const origin = asked.get("origin");
    const guid = asked.get("app_guid");
    if (!origin || !guid || window.parent === window) return false;
    let last = 0;
    const waiting = new Map();
    window.addEventListener("message", (event) => {
      if (event.origin !== origin || event.source !== window.parent || event.data?.guid !== guid) return;
      const answer = waiting.get(event.data.id);
      waiting.delete(event.data.id);
      answer?.(event.data);
    });
    function ask(call, name, value) {
      const id = ++last;
      return new Promise((done, failed) => {
        waiting.set(id, (data) => (data.error ? failed(new Error(data.error)) : done(data.value)));
        window.parent.postMessage({ guid, id, call, name, value }, origin);
      });
    }
    return {
      get: (name) => ask("get", name).then((value) => ({ [name]: value })),
      invoke: (name, value) => ask("invoke", name, value),
    };
  },
};
