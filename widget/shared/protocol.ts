/**
 * What the loader and the panel say to each other over their message port.
 *
 * The two are cached separately, so either may be a release older than the other: an envelope carries
 * its version, and a reader ignores types it does not know.
 */

export const VERSION = 1

/** From the host page to the frame. */
export interface ToPanel {
  init: { origin: string; page: string; locale: string | null; theme: Theme; open: boolean; phone: boolean }
  open: { draft?: string; focus: boolean }
  close: Record<string, never>
  layout: { phone: boolean }
  identify: { token?: string; name?: string; email?: string }
  context: Record<string, string | number | boolean>
  locale: { locale: string }
  theme: { theme: Theme }
  escalate: { topic?: string }
  logout: Record<string, never>
}

/** From the frame to the host page. */
export interface ToLoader {
  ready: { version: number }
  close: { focus: boolean }
  unread: { count: number }
  teaser: { name: string; text: string }
  active: { on: boolean }
  event: { name: EventName; detail?: unknown }
}

export type Theme = 'auto' | 'light' | 'dark'
export type EventName = 'message' | 'escalated' | 'agent-joined' | 'ended' | 'error'

export interface Envelope<Types, Name extends keyof Types = keyof Types> {
  v: number
  t: Name
  d: Types[Name]
}

export function envelope<Types, Name extends keyof Types>(t: Name, d: Types[Name]): Envelope<Types, Name> {
  return { v: VERSION, t, d }
}

/** Read an envelope of our version, or nothing. */
export function opened<Types>(data: unknown): Envelope<Types> | null {
  const letter = data as Envelope<Types> | null
  return typeof letter === 'object' && letter !== null && letter.v === VERSION && typeof letter.t === 'string' ? letter : null
}
