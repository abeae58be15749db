/** Keep the tabs of one site in step: one of them listens to the server, all of them hear it. */

import { locked } from './locks'
import type { Change } from './stream'

export type Word =
  | { kind: 'change'; conversation: string; change: Change }
  | { kind: 'connected'; on: boolean }
  | { kind: 'switched'; conversation: string | null }
  | { kind: 'outbox' }
  | { kind: 'signed' }
  | { kind: 'seen'; conversation: string; seq: number }
  | { kind: 'dismissed'; handoff: string }
  | { kind: 'left' }

export interface Tabs {
  say(word: Word): void
  /** Run while no other tab does, for as long as the work takes. */
  lead(name: string, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>
}

export function joinTabs(key: string, hear: (word: Word) => void): Tabs {
  let channel: BroadcastChannel | null = null
  try {
    channel = new BroadcastChannel(`escalade:${key}`)
    channel.onmessage = (event) => hear(event.data as Word)
  } catch {
    // No storage, no company: this tab is alone.
  }
  return {
    say: (word) => channel?.postMessage(word),
    lead: (name, work, signal) =>
      locked(`${key}:${name}`, () => work(signal), signal).catch((problem: unknown) => {
        if (!signal.aborted) throw problem
      }),
  }
}
