/** The frame that holds the panel, mounted when first needed, and the port to it. */

import { envelope, opened, VERSION, type Envelope, type ToLoader, type ToPanel } from '../shared/protocol'
import { loader as words } from '../strings/en'
import { element } from './dom'

const PATIENCE_MS = 8000

export interface Frame {
  readonly node: HTMLIFrameElement
  send<Name extends keyof ToPanel>(name: Name, detail: ToPanel[Name]): void
  /** Give the panel the keyboard, once it is ready: Chromium may lose it where the page in the frame is still to come. */
  focus(): void
  remove(): void
}

/**
 * Open the panel's page in a frame and hand it one end of a message channel.
 *
 * The channel goes to the exact origin of the frame. Whatever is sent before the panel is ready waits.
 */
export function openFrame(
  url: URL,
  init: () => ToPanel['init'],
  heard: (letter: Envelope<ToLoader>) => void,
  failed: () => void,
): Frame {
  const node = element('iframe', { src: url.href, title: words.frame, allow: 'clipboard-write' })
  let port: MessagePort | null = null
  let ready = false
  let focusing = false
  let waiting: unknown[] = []
  let patience = 0

  node.addEventListener('load', () => {
    // The page in the frame is new: so is its channel.
    port?.close()
    ready = false
    const channel = new MessageChannel()
    port = channel.port1
    port.onmessage = (event) => {
      const letter = opened<ToLoader>(event.data)
      if (!letter) return
      if (letter.t === 'ready') {
        ready = true
        clearTimeout(patience)
        if (focusing) node.focus()
        focusing = false
        for (const held of waiting) port?.postMessage(held)
        waiting = []
      }
      heard(letter)
    }
    node.contentWindow?.postMessage(envelope<ToPanel, 'init'>('init', init()), url.origin, [channel.port2])
    clearTimeout(patience)
    patience = window.setTimeout(failed, PATIENCE_MS)
  })

  return {
    node,
    send(name, detail) {
      const letter = { v: VERSION, t: name, d: detail }
      if (ready && port) port.postMessage(letter)
      else waiting.push(letter)
    },
    focus() {
      if (ready) node.focus()
      else focusing = true
    },
    remove() {
      clearTimeout(patience)
      port?.close()
      node.remove()
    },
  }
}
