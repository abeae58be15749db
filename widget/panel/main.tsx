/** The page inside the frame: join the host page, take up the last conversation, draw. */

import { effect } from '@preact/signals'
import { render } from 'preact'
import { loader as loaderWords, panel as words } from '../strings/en'
import type { Envelope, Theme, ToPanel } from '../shared/protocol'
import { App, focusComposer } from './app'
import { createChat } from './chat'
import { listenToHost } from './host'
import { fromUs, spoken } from './thread'
import './style/tokens.css'
import './style/panel.css'
import './style/thread.css'
import './style/status.css'

const { key = '', origin = '', name = '' } = document.body.dataset
const framed = window.parent !== window
let locale = document.documentElement.lang || navigator.language

const host = listenToHost(origin, heard)
const chat = createChat({
  base: location.pathname.replace(/\/panel\/?$/, ''),
  key,
  organisation: name,
  locale: () => locale,
  event: (event, detail) => host.send('event', { name: event, detail }),
})

function heard(letter: Envelope<ToPanel>) {
  const d = letter.d as never
  switch (letter.t) {
    case 'init': {
      const init = d as ToPanel['init']
      if (init.locale) locale = init.locale
      chat.setPage({ page: init.page })
      setTheme(init.theme)
      chat.restore()
      return
    }
    case 'open': {
      const { draft, focus } = d as ToPanel['open']
      chat.open.value = true
      if (draft !== undefined) document.dispatchEvent(new CustomEvent('draft', { detail: draft }))
      if (focus) focusComposer()
      return void chat.begin()
    }
    case 'close':
      return void (chat.open.value = false)
    case 'context':
      return chat.setPage(d)
    case 'locale':
      return void ({ locale } = d as ToPanel['locale'])
    case 'theme':
      return setTheme((d as ToPanel['theme']).theme)
    case 'escalate':
      return void chat.escalate()
    case 'identify': {
      const { token, ...person } = d as ToPanel['identify']
      if (token) return host.send('event', { name: 'error', detail: { detail: words.identityLater } })
      return chat.introduce(person)
    }
    case 'logout':
      return chat.logout()
  }
}

function setTheme(theme: Theme) {
  document.documentElement.dataset.theme = theme
}

function close(focus: boolean) {
  if (!framed) return
  chat.open.value = false // at once: what arrives while the page outside has yet to hear of it is not seen
  host.send('close', { focus })
}

document.title ||= loaderWords.frame
render(<App chat={chat} close={close} />, document.getElementById('app')!)

// Seen is what stood on the screen while somebody could look at it.
const look = () => {
  if (chat.open.value && !document.hidden && chat.thread.value.length) chat.markSeen()
}
effect(look)
document.addEventListener('visibilitychange', look)
effect(() => host.send('unread', { count: chat.open.value ? 0 : chat.unread.value }))
effect(() => host.send('active', { on: chat.conversation.value?.status === 'open' }))
effect(() => {
  const news = chat.announcement.value
  if (!news || chat.open.peek() || !fromUs(news.author.role)) return
  host.send('teaser', { name: news.author.name || words.team, text: spoken(news).slice(0, 200) })
})

if (!framed) {
  chat.open.value = true
  chat.restore()
  void chat.begin()
}
