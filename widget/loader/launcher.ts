/** What the visitor sees on the host page, in a shadow root the page's styles cannot reach. */

import { counted, loader as words } from '../strings/en'
import { element, icon } from './dom'
import { css } from './style'

const CROSS = 'M6 6l12 12M18 6L6 18'

export interface Launcher {
  readonly host: HTMLElement
  readonly region: HTMLElement
  readonly button: HTMLButtonElement
  readonly box: HTMLElement
  unread(count: number): void
  teaser(preview: { name: string; text: string } | null): void
  expanded(open: boolean, phone: boolean): void
}

export function buildLauncher(actions: { toggle(): void; warm(): void; escape(): void }): Launcher {
  const host = document.createElement('support-chat')
  const root = host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  root.adoptedStyleSheets = [sheet]

  const badge = element('span', { class: 'badge', 'aria-hidden': 'true', hidden: true })
  const chat = icon('chat', 'M12 3.5c5 0 9 3.4 9 7.9s-4 7.9-9 7.9c-1 0-2-.1-2.9-.4l-4.6 1.6 1.1-3.7C4 15.4 3 13.5 3 11.4c0-4.5 4-7.9 9-7.9z')
  const dots = icon('chat dot', 'M8 13.5h.01', 'M12 11.5h.01', 'M16 9.5h.01')
  const button = element(
    'button',
    {
      class: 'launcher', type: 'button', 'aria-expanded': 'false', 'aria-label': words.open,
      click: actions.toggle, pointerenter: actions.warm, touchstart: actions.warm, focus: actions.warm,
    },
    chat, dots, icon('shut', 'M5.5 9l6.5 6.5L18.5 9'), badge,
  )
  const box = element('div', { class: 'box', role: 'dialog', 'aria-label': words.region })
  const name = element('b', { dir: 'auto' })
  const text = element('span', { dir: 'auto' })
  const teaser = element(
    'div',
    { class: 'teaser', hidden: true },
    element('button', { class: 'read', type: 'button', click: actions.toggle }, name, text),
    element('button', { class: 'drop', type: 'button', 'aria-label': words.dismiss, click: () => { teaser.hidden = true } }, icon('', CROSS)),
  )
  const region = element('div', { class: 'region', role: 'region', 'aria-label': words.region }, box, teaser, button)
  region.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') actions.escape()
  })
  root.append(region)

  let count = 0
  const label = (open: boolean) =>
    button.setAttribute('aria-label', open ? words.close : count ? counted(words.unread, count) : words.open)

  return {
    host, region, button, box,
    unread(next) {
      count = next
      badge.hidden = next === 0
      badge.textContent = next > 9 ? '9+' : String(next)
      label(button.getAttribute('aria-expanded') === 'true')
    },
    teaser(preview) {
      teaser.hidden = preview === null
      name.textContent = preview?.name ?? ''
      text.textContent = preview?.text ?? ''
    },
    expanded(open, phone) {
      button.setAttribute('aria-expanded', String(open))
      label(open)
      box.toggleAttribute('data-open', open)
      region.toggleAttribute('data-phone', phone)
      if (open && phone) box.setAttribute('aria-modal', 'true')
      else box.removeAttribute('aria-modal')
      if (open) teaser.hidden = true
    },
  }
}
