/**
 * Send what the customer wrote: in order, once, and across reloads.
 *
 * A message is stored before it is sent and keeps its id through every attempt, so the server can
 * tell a repetition from a second message. Each one has a storage entry of its own; two tabs writing
 * at once cannot overwrite each other.
 */

import { fill, panel as words } from '../strings/en'
import { Problem } from './api'
import { locked } from './locks'
import { newId, type Storage } from './storage'
import type { Attachment, Message, Unsent } from './types'

const PREFIX = 'outbox:'
const LONGEST_WAIT_MS = 30_000
const ATTEMPTS_BEFORE_SAYING_SO = 2

type Kept = Omit<Unsent, 'state'>

export interface Carrier {
  /** Deliver one message, or throw a `Problem`. */
  send(message: Kept): Promise<Message>
  /** The server has it. */
  sent(message: Message, from: Kept): void
  changed(items: Unsent[]): void
  online(): boolean
}

export class Outbox {
  items: Unsent[] = []
  private failures = 0
  private running: Promise<void> | null = null
  private again = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private latest = 0

  constructor(
    private readonly scope: string,
    private readonly storage: Storage,
    private readonly carrier: Carrier,
  ) {
    this.reload()
  }

  put(conversation: string, text: string, files: Attachment[] = [], now = Date.now()): Unsent {
    const at = Math.max(now, this.latest + 1)
    const kept: Kept = { id: newId(), conversation, text, ...(files.length ? { files } : {}), at }
    this.keep(kept)
    this.reload()
    void this.flush()
    return this.items.find((item) => item.id === kept.id)!
  }

  /** Read the entries again; another tab may have added or sent some. */
  reload(): void {
    const known = new Map(this.items.map((item) => [item.id, item.state]))
    this.items = this.storage
      .names(PREFIX)
      .map((name) => this.storage.get<Kept>(name))
      .filter((kept): kept is Kept => kept !== null)
      .map((kept) => ({ ...kept, state: known.get(kept.id) ?? 'sending' }))
    this.latest = this.items.at(-1)?.at ?? this.latest
    this.carrier.changed(this.items)
  }

  /** Try everything again, now. */
  retry(): Promise<void> {
    this.items = this.items.map((item) => ({ ...item, state: 'sending' }))
    this.failures = 0
    return this.flush()
  }

  discard(id: string): void {
    for (const item of this.items) if (item.id === id) this.storage.drop(nameOf(item))
    this.reload()
  }

  /** Send what one conversation can no longer take in another one, under new ids. Files stay where they were uploaded. */
  move(from: string, to: string): void {
    for (const item of this.items.filter((each) => each.conversation === from)) {
      this.storage.drop(nameOf(item))
      const left = item.files?.map(({ name }) => fill(words.fileLeft, { name })) ?? []
      this.keep({ id: newId(), conversation: to, text: [item.text, ...left].filter(Boolean).join('\n'), at: item.at })
    }
    this.reload()
  }

  clear(): void {
    clearTimeout(this.timer)
    for (const item of this.items) this.storage.drop(nameOf(item))
    this.reload()
  }

  /** Send until nothing is left or something stands in the way. */
  flush(): Promise<void> {
    clearTimeout(this.timer)
    if (this.running) {
      // It may be on its way out: look once more, so that nothing put in just now is left lying.
      this.again = true
      return this.running
    }
    this.running = locked(`outbox:${this.scope}`, () => this.drain()).finally(() => {
      this.running = null
      if (!this.again) return
      this.again = false
      return this.flush()
    })
    return this.running
  }

  private async drain(): Promise<void> {
    for (;;) {
      this.reload()
      const head = this.items.find((item) => item.state !== 'closed' && item.state !== 'refused')
      if (!head) return
      try {
        const message = await this.carrier.send(head)
        this.failures = 0
        this.storage.drop(nameOf(head))
        this.carrier.sent(message, head)
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem
        if (problem.passing) return this.postpone(problem)
        this.mark(head.id, problem.status === 409 || problem.status === 404 ? 'closed' : 'refused')
      }
    }
  }

  private postpone(problem: Problem): void {
    this.failures += 1
    const state = !this.carrier.online() ? 'queued' : this.failures >= ATTEMPTS_BEFORE_SAYING_SO ? 'failed' : 'sending'
    this.items = this.items.map((item) => (item.state === 'closed' || item.state === 'refused' ? item : { ...item, state }))
    this.carrier.changed(this.items)
    const wait = problem.retryAfterMs ?? Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.failures)
    this.timer = setTimeout(() => void this.flush(), wait * (0.75 + Math.random() / 2))
  }

  private mark(id: string, state: Unsent['state']): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, state } : item))
    this.carrier.changed(this.items)
  }

  private keep(kept: Kept): void {
    this.latest = Math.max(this.latest, kept.at)
    this.storage.set(nameOf(kept), kept)
  }
}

/** Names sort in the order of writing. */
function nameOf(kept: Kept): string {
  return `${PREFIX}${String(kept.at).padStart(16, '0')}:${kept.id}`
}
