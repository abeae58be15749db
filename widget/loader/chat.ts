/** The JavaScript API of the widget, and the one instance behind it. */

import type { Envelope, EventName, Theme, ToLoader, ToPanel } from '../shared/protocol'
import { loader as words } from '../strings/en'
import { element } from './dom'
import { openFrame, type Frame } from './frame'
import { buildLauncher } from './launcher'
import { takeScreen } from './phone'

const PHONE = '(max-width: 480px), (max-height: 440px) and (max-width: 960px)'
const ACTIVE = 'support-chat:active'
const OPEN = 'support-chat:open'

export interface BootOptions {
  key: string
  locale?: string
  theme?: Theme
  position?: 'left' | 'right'
  hideLauncher?: boolean
}

type Listener = (detail: unknown) => void
type Event = EventName | 'ready' | 'open' | 'close' | 'unread'

/** Remember a flag on the host page, or nowhere if the page may not keep anything. */
function flag(store: 'localStorage' | 'sessionStorage', name: string, on?: boolean): boolean {
  try {
    if (on === true) window[store].setItem(name, '1')
    else if (on === false) window[store].removeItem(name)
    return window[store].getItem(name) === '1'
  } catch {
    return false
  }
}

/** Start the widget and return its API, one function for each call of the page. */
export function createChat(base: string) {
  const listeners = new Map<string, Set<Listener>>()
  let context: ToPanel['context'] = {}
  let options: BootOptions | null = null
  let frame: Frame | null = null
  let open = false
  let release: (() => void) | null = null

  const phone = window.matchMedia(PHONE)
  const launcher = buildLauncher({ toggle: () => toggle(), warm: () => mount(), escape: () => hidePanel(true) })
  phone.addEventListener('change', layout)

  function emit(name: Event, detail?: unknown) {
    for (const listener of listeners.get(name) ?? []) listener(detail)
  }

  function url(): URL {
    const page = new URL(`${base}/widget/v1/panel`)
    page.searchParams.set('key', options?.key ?? '')
    page.searchParams.set('origin', location.origin)
    return page
  }

  function mount() {
    if (frame || !options) return
    const { locale = document.documentElement.lang || null, theme = 'auto' } = options
    frame = openFrame(
      url(),
      () => ({ origin: location.origin, page: location.pathname, locale, theme, open, phone: phone.matches }),
      hear,
      blocked,
    )
    launcher.box.replaceChildren(frame.node)
    if (Object.keys(context).length) frame.send('context', context)
  }

  /** The frame never answered: this page or the server does not allow it. */
  function blocked() {
    frame?.remove()
    frame = null
    const link = element('a', { href: url().href, target: '_blank', rel: 'noopener' }, words.newWindow)
    launcher.box.replaceChildren(element('div', { class: 'blocked' }, element('p', {}, words.blocked), link))
    if (open) link.focus()
    emit('error', { detail: words.blocked })
  }

  function hear(letter: Envelope<ToLoader>) {
    const d = letter.d as never
    switch (letter.t) {
      case 'ready':
        return emit('ready')
      case 'close':
        return hidePanel((d as ToLoader['close']).focus)
      case 'unread': {
        const { count } = d as ToLoader['unread']
        launcher.unread(count)
        return emit('unread', count)
      }
      case 'teaser':
        return open ? undefined : launcher.teaser(d)
      case 'active':
        return void flag('localStorage', ACTIVE, (d as ToLoader['active']).on)
      case 'event': {
        const { name, detail } = d as ToLoader['event']
        return emit(name, detail)
      }
    }
  }

  function layout() {
    release?.()
    release = open && phone.matches ? takeScreen(launcher.box, () => hidePanel(true)) : null
    launcher.expanded(open, phone.matches)
    frame?.send('layout', { phone: phone.matches })
  }

  function showPanel(draft?: string, focus = true) {
    if (!options) return
    open = true
    mount()
    flag('sessionStorage', OPEN, true)
    layout()
    frame?.send('open', draft === undefined ? { focus } : { draft, focus })
    if (focus) frame?.focus()
    emit('open')
  }

  function hidePanel(focus: boolean) {
    if (!open) return
    open = false
    flag('sessionStorage', OPEN, false)
    layout()
    frame?.send('close', {})
    if (focus) launcher.button.focus()
    emit('close')
  }

  function toggle() {
    if (open) hidePanel(true)
    else showPanel()
  }

  function moved() {
    context = { ...context, page: location.pathname }
    frame?.send('context', context)
  }

  const navigation = (window as { navigation?: EventTarget }).navigation
  if (navigation) navigation.addEventListener('navigatesuccess', moved)
  else window.addEventListener('popstate', moved)

  return {
    boot(next: BootOptions) {
      if (options) return
      options = next
      launcher.button.hidden = next.hideLauncher ?? false
      launcher.region.dataset.side = next.position ?? 'right'
      launcher.host.dataset.theme = next.theme ?? 'auto'
      // Beside the body, so that on a phone the whole body can be made inert.
      document.documentElement.append(launcher.host)
      if (flag('sessionStorage', OPEN) && !phone.matches) showPanel(undefined, false)
      else if (flag('localStorage', ACTIVE)) (window.requestIdleCallback ?? setTimeout)(mount)
    },
    identify(person: ToPanel['identify'] | (() => Promise<string>)) {
      if (typeof person === 'function') void person().then((token) => frame?.send('identify', { token }))
      else {
        mount()
        frame?.send('identify', person)
      }
    },
    context(facts: ToPanel['context']) {
      context = { ...context, ...facts }
      frame?.send('context', context)
    },
    open: (draft?: string) => showPanel(draft),
    close: () => hidePanel(false),
    toggle,
    show() { launcher.button.hidden = false },
    hide() { launcher.button.hidden = true },
    escalate(request: ToPanel['escalate'] = {}) {
      showPanel()
      frame?.send('escalate', request)
    },
    on(name: Event, listener: Listener) {
      const all = listeners.get(name) ?? new Set()
      listeners.set(name, all.add(listener))
      return () => void all.delete(listener)
    },
    locale(locale: string) {
      if (options) options.locale = locale
      frame?.send('locale', { locale })
    },
    theme(theme: Theme) {
      if (options) options.theme = theme
      launcher.host.dataset.theme = theme
      frame?.send('theme', { theme })
    },
    logout() {
      mount()
      frame?.send('logout', {})
      flag('localStorage', ACTIVE, false)
    },
    destroy() {
      hidePanel(false)
      frame?.remove()
      frame = null
      launcher.host.remove()
      options = null
    },
  }
}
