/**
 * The script on the host page: `<script async src=".../widget/loader.js" data-key="pk_...">`.
 *
 * It makes no request of its own and parses no markup, so it runs under a strict policy. Calls made
 * before it arrived were kept by the stub in `SupportChat.q` and are answered now, in order.
 */

import { createChat, type BootOptions } from './chat'

type Call = [name: string, ...values: unknown[]]
type Stub = ((...call: Call) => unknown) & { q?: ArrayLike<unknown>[]; loaded?: boolean }

const page = window as { SupportChat?: Stub }
const script = document.currentScript as HTMLScriptElement | null

function start() {
  const waiting = page.SupportChat?.q ?? []
  const base = new URL('..', script?.src ?? location.href).href.replace(/\/$/, '')
  const chat = createChat(base) as unknown as Record<string, (...values: unknown[]) => unknown>

  const api: Stub = (name, ...values) => {
    const call = Object.hasOwn(chat, name) ? chat[name] : undefined
    if (!call) throw new TypeError(`SupportChat has no call "${name}"`)
    return call(...values)
  }
  api.loaded = true
  page.SupportChat = api

  const { key, locale, theme, position, hideLauncher } = script?.dataset ?? {}
  if (key) {
    const options: Record<string, unknown> = { key, hideLauncher: hideLauncher !== undefined }
    for (const [name, value] of Object.entries({ locale, theme, position })) if (value) options[name] = value
    chat.boot?.(options as unknown as BootOptions)
  }
  for (const call of waiting) api(...(Array.from(call) as Call))
}

if (!page.SupportChat?.loaded) start()
