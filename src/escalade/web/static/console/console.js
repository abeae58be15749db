// What a script adds to pages that work without one: copying, a fresh look at what changes, and a word before typed text is lost.

const announce = (text) => {
  document.querySelector('.toast')?.remove();
  const toast = document.createElement('div');
  toast.className = 'toast';
  toast.setAttribute('role', 'status');
  document.body.append(toast);
  toast.textContent = text;
  setTimeout(() => toast.remove(), 2200);
};

const copy = async (code) => {
  const text = code.textContent;
  try {
    await navigator.clipboard.writeText(text);
    announce('Copied');
  } catch {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    announce(document.execCommand('copy') ? 'Copied' : 'Selected: press Ctrl+C');
  }
};

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', () => copy(button.parentElement.querySelector('code')));
}

document.querySelector('.tabs [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
document.querySelector('[data-focus]')?.focus({ preventScroll: false });

const dirty = new Set();
for (const form of document.querySelectorAll('form[data-guard]')) {
  form.addEventListener('input', () => dirty.add(form));
  form.addEventListener('submit', () => dirty.clear());
}
addEventListener('beforeunload', (event) => {
  if (dirty.size) event.preventDefault();
});

// Along its curve a number is a slider; what comes of it is said beside it.
for (const figure of document.querySelectorAll('[data-slider]')) {
  const field = document.getElementById(figure.dataset.slider);
  const levels = figure.dataset.levels.split(';').map((level) => level.split(',').map(Number));
  const [left, right] = figure.dataset.edges.split(' ').map(Number);
  const range = document.createElement('input');
  Object.assign(range, { type: 'range', min: 0, max: levels.length - 1, value: field.value, disabled: field.disabled });
  range.setAttribute('aria-label', field.labels[0].innerText);
  figure.querySelector('svg').after(range);
  const show = () => {
    const level = levels[field.value];
    if (!level) return;
    const along = left + (field.value / (levels.length - 1)) * (right - left);
    figure.querySelector('.mark').setAttribute('transform', `translate(${along} 0)`);
    const shares = level.map((share) => `${Math.round(share * 100)} %`);
    for (const told of figure.parentElement.querySelectorAll('[data-share]')) told.textContent = shares[told.dataset.share];
    range.setAttribute('aria-valuetext', `${field.value} %: precision ${shares[0]}, coverage ${shares[1]}, refusal ${shares[2]}`);
  };
  range.addEventListener('input', () => {
    field.value = range.value;
    show();
  });
  field.addEventListener('input', () => {
    range.value = field.value;
    show();
  });
  show();
}

const menu = document.querySelector('details.menu');
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && menu?.open) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});

// A region is replaced only while nobody is at work in it.
const refresh = async (region) => {
  const busy = region.contains(document.activeElement) || !getSelection().isCollapsed;
  if (document.hidden || busy) return;
  const answer = await fetch(location.href, { headers: { 'x-console-refresh': '1' }, redirect: 'error' });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]');
  if (!fresh || fresh.innerHTML === region.dataset.seen) return;
  region.dataset.seen = fresh.innerHTML;
  const open = new Set([...region.querySelectorAll('details[open][data-key]')].map((one) => one.dataset.key));
  for (const one of fresh.querySelectorAll('details[data-key]')) one.open = open.has(one.dataset.key);
  if (!region.contains(document.activeElement) && getSelection().isCollapsed) region.replaceChildren(...fresh.childNodes);
};

const live = document.querySelector('[data-live]');
if (live) setInterval(() => refresh(live).catch(() => {}), Number(live.dataset.live) * 1000);
