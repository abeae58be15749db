/**
 * The look of what stands on the host page: launcher, badge, teaser and the frame's box.
 *
 * `!important` on `:host` is deliberate: inside a shadow root it beats the page's own `!important`.
 */

export const css = `
:host{all:initial!important;display:block!important;position:static!important;color-scheme:light dark!important}
:host([data-theme=light]){color-scheme:light!important}
:host([data-theme=dark]){color-scheme:dark!important}
*{box-sizing:border-box;margin:0}
.region{--accent:#0b6b57;--accent:light-dark(#0b6b57,#12826b);--paper:#fff;--paper:light-dark(#fff,#151a18);
--ink:#17201d;--ink:light-dark(#17201d,#eef3f0);--muted:light-dark(#5a6662,#a3b0ab);
--edge:light-dark(rgb(20 40 34/.1),rgb(220 240 232/.12));
--shadow:0 1px 2px rgb(10 30 24/.06),0 8px 20px -6px rgb(10 30 24/.14),0 28px 64px -16px rgb(10 30 24/.28);
font:400 15px/1.45 -apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink)}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;-webkit-tap-highlight-color:transparent}
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
svg{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.launcher,.box,.teaser{position:fixed;z-index:2147483000;inset-inline-end:20px}
.region[data-side=left]>*{inset-inline:20px auto}
.launcher{bottom:20px;width:56px;height:56px;border-radius:50%;background:var(--accent);color:#fff;display:grid;place-items:center;
box-shadow:0 1px 2px rgb(6 40 32/.25),0 10px 24px -6px rgb(6 60 48/.5)}
.launcher:focus-visible{outline-color:var(--ink)}
.launcher svg{grid-area:1/1;width:28px;height:28px}
.launcher .shut{opacity:0;stroke-width:2.4}
.launcher[aria-expanded=true] .chat{opacity:0}
.launcher[aria-expanded=true] .shut{opacity:1}
.dot{stroke-width:2.6}
.badge{position:absolute;top:-3px;inset-inline-end:-3px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;
background:#c2410c;color:#fff;font-size:12px;font-weight:700;line-height:20px;text-align:center;border:2px solid var(--paper)}
[hidden]{display:none!important}
.teaser{bottom:90px;display:flex;align-items:flex-start;gap:4px;width:max-content;max-width:min(300px,calc(100vw - 40px));background:var(--paper);
border-radius:16px;box-shadow:var(--shadow);outline:1px solid var(--edge)}
.teaser .read{padding:12px 0 12px 16px;text-align:start;border-radius:16px}
.teaser b{display:block;font-size:13px;font-weight:650}
.teaser span{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;color:var(--muted);font-size:14px;overflow-wrap:anywhere}
.teaser .drop{width:32px;height:32px;margin:6px;border-radius:50%;display:grid;place-items:center;color:var(--muted)}
.teaser .drop svg{width:16px;height:16px}
.box{bottom:92px;width:400px;max-width:calc(100vw - 40px);height:min(700px,calc(100vh - 116px));min-height:min(320px,calc(100vh - 24px));
background:var(--paper);border-radius:20px;overflow:hidden;box-shadow:var(--shadow);visibility:hidden;opacity:0}
.box::after{content:"";position:absolute;inset:0;border-radius:inherit;box-shadow:inset 0 0 0 1px var(--edge);pointer-events:none}
.box[data-open]{visibility:visible;opacity:1}
iframe{display:block;width:100%;height:100%;border:0;color-scheme:inherit}
.blocked{height:100%;display:grid;place-content:center;gap:12px;padding:32px;text-align:center}
.blocked a{color:var(--accent);font-weight:600}
.region[data-phone] .box{inset:0;width:100%;max-width:none;height:100vh;height:100dvh;min-height:0;border-radius:0;box-shadow:none}
.region[data-phone] .box::after{display:none}
.region[data-phone] .launcher[aria-expanded=true]{display:none}
@media(max-height:520px){.box{bottom:12px;height:calc(100vh - 24px);inset-inline-end:88px}.region[data-side=left] .box{inset-inline:88px auto}}
@media(prefers-reduced-motion:no-preference){
.launcher{transition:transform .18s cubic-bezier(.2,.8,.3,1)}
.launcher:hover{transform:scale(1.05)}.launcher:active{transform:scale(.96)}
.launcher svg{transition:opacity .16s,transform .22s cubic-bezier(.2,.8,.3,1)}
.launcher .shut{transform:translateY(-6px)}.launcher[aria-expanded=true] .shut{transform:none}
.launcher[aria-expanded=true] .chat{transform:scale(.6)}
.box{transform:translateY(10px) scale(.985);transform-origin:100% 100%;transition:opacity .16s,transform .24s cubic-bezier(.2,.8,.3,1),visibility 0s .2s}
.box[data-open]{transform:none;transition-delay:0s}
.region[data-phone] .box{transform:translateY(24px)}.region[data-phone] .box[data-open]{transform:none}
.teaser{animation:rise .24s cubic-bezier(.2,.8,.3,1)}@keyframes rise{from{opacity:0;transform:translateY(8px)}}
}
@media(forced-colors:active){.launcher,.badge,.teaser,.box{border:2px solid ButtonText}}
@media print{.region{display:none}}
`
