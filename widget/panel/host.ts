/** The panel's end of the port to the host page. */

import { envelope, opened, VERSION, type Envelope, type ToLoader, type ToPanel } from '../shared/protocol'

export interface Host {
  send<Name extends keyof ToLoader>(name: Name, detail: ToLoader[Name]): void
}

/** Accept one port, from our parent and from the origin the server has checked, and nobody else. */
export function listenToHost(origin: string, hear: (letter: Envelope<ToPanel>) => void): Host {
  let port: MessagePort | null = null
  const accept = (event: MessageEvent) => {
    if (event.source !== window.parent || event.origin !== origin) return
    const letter = opened<ToPanel>(event.data)
    if (letter?.t !== 'init' || !event.ports[0]) return
    window.removeEventListener('message', accept)
    port = event.ports[0]
    port.onmessage = ({ data }) => {
      const next = opened<ToPanel>(data)
      if (next) hear(next)
    }
    hear(letter)
    port.postMessage(envelope<ToLoader, 'ready'>('ready', { version: VERSION }))
  }
  window.addEventListener('message', accept)
  return { send: (name, detail) => port?.postMessage(envelope<ToLoader, typeof name>(name, detail)) }
}
